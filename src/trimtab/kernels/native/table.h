// The tensors of a call as columns of addresses, cut into chunks over their elements.
#pragma once

#include <algorithm>
#include <cstdint>

#include "number.h"

namespace trimtab {

// Fixed, so that no sum depends on the number of threads; five streams of it fit in a second-level cache.
constexpr int64_t CHUNK = 16384;

struct Table {
  int64_t tensors;
  const int64_t* ends;    // how many elements there are up to and with tensor k
  const int64_t* places;  // row r, tensor k: the address places[r * tensors + k]

  int64_t elements() const { return tensors ? ends[tensors - 1] : 0; }
  // A thread for sixteen chunks, some hundred microseconds of work: to wake one takes tens of them, and on a busy machine
  // it may not even run before the others are done.
  int threads(int64_t asked) const { return static_cast<int>(std::min(asked, 1 + chunks() / 16)); }
  int64_t chunks() const { return (elements() + CHUNK - 1) / CHUNK; }

  template <class T>
  T* at(int64_t row, int64_t tensor) const {
    return reinterpret_cast<T*>(places[row * tensors + tensor]);
  }
};

// Calls visit(tensor, first element in it, how many) for what a chunk holds, in order.
template <class Visit>
TRIMTAB_INLINE void each_piece(const Table& table, int64_t chunk, const Visit& visit) {
  int64_t at = chunk * CHUNK;
  const int64_t end = std::min(at + CHUNK, table.elements());
  for (int64_t k = std::upper_bound(table.ends, table.ends + table.tensors, at) - table.ends; at < end; ++k) {
    const int64_t until = std::min(end, table.ends[k]);
    if (until > at) visit(k, at - (k ? table.ends[k - 1] : 0), until - at);
    at = until;
  }
}

}  // namespace trimtab
