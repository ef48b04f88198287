// Results that are written past the caches.
#pragma once

#include <cstdint>

namespace trimtab {

// Whether runs of `length` values may be: their ends are written value by value where they do not fill a line, and are to
// be few.
template <class T>
bool can_be_streamed(int64_t length) {
  constexpr int64_t LINE = 64;
  return length * sizeof(T) % LINE == 0 || length * sizeof(T) >= 16 * LINE;
}

}  // namespace trimtab
