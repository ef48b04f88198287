// Rows of values side by side, and what is known of each column.
//
// Rows are read a few at a time and from end to end, as memory lies, with the sums of all columns in the first cache.

constexpr int64_t PANEL = 512;  // columns at a time
constexpr int GUESSED = 8;      // rows that a guess at the mean is of: never off by √((128−8)/8) < 4 standard deviations
constexpr int ABREAST = 8;      // rows that are read together
constexpr int BESIDE = REGISTER_BYTES == 64 ? 4 : 2;  // registers that are, so that short rows are read as they lie

// `count` rows of `width` values, one behind the other.
template <class T>
struct Rows {
  const T* x;
  int64_t count, width;

  // A column's values as runs of one.
  TRIMTAB_INLINE Runs<T> column(int64_t j) const { return {x + j, count, 1, width}; }
  TRIMTAB_INLINE Rows strip(int64_t row) const { return {x + row * width, least(STRIP, count - row), width}; }
};

// Some columns as registers. The last is moved back to end with the columns, and has the end of the one before again.
// There are LANES<A> columns at least.
template <class A>
struct Panel {
  static constexpr int MOST = PANEL / LANES<A> + 1;
  int64_t from, width;

  TRIMTAB_INLINE int registers() const { return (width + LANES<A> - 1) / LANES<A>; }
  TRIMTAB_INLINE int64_t start(int r) const { return from + least(r * LANES<A>, width - LANES<A>); }
};

// Calls see(panel) for all columns in panels; one that would be too narrow begins before the end of the one before.
template <class A, class See>
TRIMTAB_INLINE void each_panel(int64_t width, See see) {
  for (int64_t j = 0; j < width; j += PANEL) {
    const int64_t from = width < LANES<A> ? 0 : least(j, width - LANES<A>);
    see(Panel<A>{from, least(PANEL, width - from)});
  }
}

// Calls add(row, r, Const<n>, Const<m>) for n rows at a time from `row` on and m registers of the panel from r on. Sums are
// taken of those rows first, and then added to the others': a sum of 128 equal terms, one by one, would be off by some 1e-6.
template <int N>
struct Const {
  static constexpr int value = N;
};

template <int MOST_BESIDE, class A, class Add, class N>
TRIMTAB_INLINE void each_beside(Panel<A> panel, int64_t row, N n, Add add) {
  int r = 0;
  for (; r + MOST_BESIDE <= panel.registers(); r += MOST_BESIDE) add(row, r, n, Const<MOST_BESIDE>{});
  for (; r < panel.registers(); ++r) add(row, r, n, Const<1>{});
}

template <int MOST_BESIDE, class A, class T, class Add>
TRIMTAB_INLINE void each_of_strip(Rows<T> rows, Panel<A> panel, Add add) {
  int64_t row = 0;
  for (; row + ABREAST <= rows.count; row += ABREAST) each_beside<MOST_BESIDE>(panel, row, Const<ABREAST>{}, add);
  for (; row < rows.count; ++row) each_beside<MOST_BESIDE>(panel, row, Const<1>{}, add);
}

// Equal values have themselves for mean.
template <class A, class T>
TRIMTAB_INLINE Values<A> guess(const T* x, int64_t count, int64_t stride) {
  if (count < GUESSED) return lanes<A>(x);
  const auto pair = [&](int k) __attribute__((always_inline)) {
    return lanes<A>(x + 2 * k * stride) + lanes<A>(x + (2 * k + 1) * stride);
  };
  return ((pair(0) + pair(1)) + (pair(2) + pair(3))) / A{GUESSED};
}

// Count, mean and M₂ of a register of columns.
template <class A>
struct ColumnParts {
  static constexpr int L = LANES<A>;
  double count[L] = {}, mean[L] = {}, m2[L] = {};

  TRIMTAB_INLINE void merge(const ColumnParts& other) {
    for (int j = 0; j < L; ++j) {
      const double n = count[j] + other.count[j], share = n > 0 ? other.count[j] / n : 0;
      const double delta = other.mean[j] - mean[j];
      mean[j] += delta * share;
      m2[j] += other.m2[j] + delta * delta * share * count[j];
      count[j] = n;
    }
  }
};

// M₂ of sums around a guess; not a number in a lane whose sums lost something.
template <class A>
TRIMTAB_INLINE Values<A> checked(Values<A> sum, Values<A> square, A n) {
  constexpr bool narrow = sizeof(A) == sizeof(float);
  const Values<A> m2 = square - sum * sum / n;
  const auto good =
      ((m2 > A(narrow ? 1e-25 : 1e-280) * n) & (m2 < A(narrow ? 1e37 : 1e300))) | ((sum == 0) & (square == 0));
  return good ? m2 : all<A>(__builtin_nanf(""));
}

// Sums of a strip around a guess.
template <class A>
struct StripSums {
  Values<A> shift[Panel<A>::MOST], sum[Panel<A>::MOST], square[Panel<A>::MOST];

  template <class T>
  TRIMTAB_INLINE void begin(Rows<T> rows, Panel<A> panel) {
    for (int r = 0; r < panel.registers(); ++r) {
      shift[r] = guess<A>(rows.x + panel.start(r), rows.count, rows.width);
      sum[r] = square[r] = Values<A>{};
    }
  }

  // The parts of register r; M₂ is not a number where sums lost something.
  TRIMTAB_INLINE ColumnParts<A> parts(int r, int64_t count) const {
    const A n = count;
    const Values<A> m2 = checked<A>(sum[r], square[r], n), rest = sum[r] / n;
    ColumnParts<A> parts;
    for (int lane = 0; lane < LANES<A>; ++lane) {
      parts.count[lane] = n;
      parts.mean[lane] = double(shift[r][lane]) + double(rest[lane]);
      parts.m2[lane] = m2[lane];
    }
    return parts;
  }
};

template <class T>
TRIMTAB_INLINE void add_strip_parts(Rows<T> rows, Panel<wide<T>> panel, ColumnParts<wide<T>>* whole) {
  using A = wide<T>;
  StripSums<A> sums;
  sums.begin(rows, panel);
  each_of_strip<BESIDE>(rows, panel, [&](int64_t row, int r, auto n, auto m) __attribute__((always_inline)) {
    Values<A> shift[m.value], sum[m.value] = {}, square[m.value] = {};
    for (int k = 0; k < m.value; ++k) shift[k] = sums.shift[r + k];
    for (int i = 0; i < n.value; ++i)
      for (int k = 0; k < m.value; ++k) {
        const Values<A> d = lanes<A>(rows.x + (row + i) * rows.width + panel.start(r + k)) - shift[k];
        sum[k] += d;
        square[k] += d * d;
      }
    for (int k = 0; k < m.value; ++k) sums.sum[r + k] += sum[k], sums.square[r + k] += square[k];
  });
  for (int r = 0; r < panel.registers(); ++r) {
    ColumnParts<A> parts = sums.parts(r, rows.count);
    for (int lane = 0; lane < LANES<A>; ++lane)
      if (parts.m2[lane] != parts.m2[lane]) {
        const Part exact = exact_part(rows.column(panel.start(r) + lane));
        parts.mean[lane] = exact.mean, parts.m2[lane] = exact.m2;
      }
    whole[r].merge(parts);
  }
}

// Mean and M₂ of each column; not finite where a value is not.
template <class T>
void column_parts(Rows<T> rows, double* mean, double* m2) {
  using A = wide<T>;
  each_panel<A>(rows.width, [&](Panel<A> panel) {
    ColumnParts<A> whole[Panel<A>::MOST];
    for (int64_t row = 0; row < rows.count; row += STRIP) add_strip_parts(rows.strip(row), panel, whole);
    for (int r = 0; r < panel.registers(); ++r) {
      std::memcpy(mean + panel.start(r), whole[r].mean, sizeof whole[r].mean);
      std::memcpy(m2 + panel.start(r), whole[r].m2, sizeof whole[r].m2);
    }
  });
}
