// From the codes that the Python side passes to types.
#pragma once

#include "number.h"

namespace trimtab {

// call(T{}) with the type that a code stands for.
template <class Call>
void with_type(int32_t code, Call call) {
  switch (static_cast<Dtype>(code)) {
    case Dtype::float32: return call(float{});
    case Dtype::float64: return call(double{});
    case Dtype::bfloat16: return call(bfloat16{});
    case Dtype::float16: return call(float16{});
  }
}

}  // namespace trimtab
