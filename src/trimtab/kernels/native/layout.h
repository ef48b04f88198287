// How an array [outer, channels, inner] is cut into pieces: by its shape alone, so that on any number of threads the same
// sums are added up in the same order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "number.h"

namespace trimtab {

constexpr int64_t SHORT = 32;         // values of a run, below which channels are columns
constexpr int64_t PIECE = 1 << 18;    // values of a piece of a channel, some 50 µs of work
constexpr int64_t STRIP = 128;        // rows of a part: few enough terms for a sum in the narrower type
constexpr int64_t WIDEST = 16;        // values that a register holds at most
constexpr int64_t STRIPS = 1 << 18;   // values of a chunk of strips, some 10 µs of work

inline int64_t ceil_of(int64_t a, int64_t b) { return (a + b - 1) / b; }

// `count` runs of `length` values, the first at `start`, `stride` values from one to the next; 0 where there is no next.
struct Span {
  int64_t start, count, length, stride;
};

// Channels of long runs: a piece is some whole runs of one channel or, where they are very long, a part of one.
struct Planes {
  int64_t outer, channels, inner;

  int64_t runs_of_piece() const { return std::max<int64_t>(PIECE / inner, 1); }
  int64_t pieces_of_run() const { return inner < PIECE ? 1 : ceil_of(inner, PIECE); }
  int64_t pieces() const { return ceil_of(outer, runs_of_piece()) * pieces_of_run(); }

  Span piece(int64_t channel, int64_t k) const {
    const int64_t run = k / pieces_of_run() * runs_of_piece(), from = k % pieces_of_run() * PIECE;
    return {(run * channels + channel) * inner + from, std::min(runs_of_piece(), outer - run),
            std::min(inner - from, PIECE), inner < PIECE && outer > 1 ? channels * inner : 0};
  }
};

// Channels of short runs as columns of rows [channels, inner]: as many rows side by side as fill a register, and the rows
// that are left over. A chunk is some strips of rows.
struct Columns {
  int64_t row, width, rows, left, chunk_rows;

  Columns(int64_t outer, int64_t channels, int64_t inner) {
    row = channels * inner;
    const int64_t beside = ceil_of(WIDEST, row);
    width = row * beside, rows = outer / beside, left = outer % beside;
    chunk_rows = std::max<int64_t>(STRIPS / (STRIP * width), 1) * STRIP;
  }

  int64_t chunks() const { return ceil_of(rows, chunk_rows); }
  int64_t rows_of(int64_t chunk) const { return std::min(chunk_rows, rows - chunk * chunk_rows); }
};

}  // namespace trimtab
