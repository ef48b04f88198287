// The loops of squares.cpp; see every_isa.h.

// Σ (unit x)² in float64, which holds the square of any number of the shorter formats.
template <class T>
double sum_of_squares(const T* __restrict x, int64_t n, double unit) {
  constexpr int64_t LANES = 32;  // of their own, so that additions need not wait for each other
  double lane[LANES] = {};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int64_t j = 0; j < LANES; ++j) {
      const double y = static_cast<double>(load(x[i + j])) * unit;
      lane[j] += y * y;
    }
  for (int64_t j = 0; i < n; ++i, ++j) {
    const double y = static_cast<double>(load(x[i])) * unit;
    lane[j] += y * y;
  }
  double sum = 0;
  for (double part : lane) sum += part;
  return sum;
}

template <class T>
void squares_chunk(void* context, int64_t chunk) {
  const auto& job = *static_cast<const SquaresJob*>(context);
  each_piece(job.table, chunk, [&](int64_t k, int64_t begin, int64_t n) {
    if (!job.knows(k)) job.parts[chunk + k] = sum_of_squares(job.table.at<const T>(0, k) + begin, n, job.unit);
  });
}
