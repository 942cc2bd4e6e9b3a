// A received frame and what was decided for it: the unit the pipeline works on. Plain bytes, so that workers, tests,
// fuzzers and benchmarks run the same code.
#pragma once

#include <cstdint>

#include "dataplane/contract/drop_reason.h"

namespace warmswap::packet {

using contract::DropReason;

enum class Verdict : uint8_t {
  drop,     // free it; already counted under `reason`
  pass,     // not for a vip: hand the untouched frame to the kernel
  forward,  // send [frame, frame + length) on `port`
};

/// One frame. Readable: [frame, frame + contiguous). Writable besides: [frame - headroom, frame). Bytes beyond
/// `contiguous` up to `length` may lie elsewhere (chained buffers) and are never touched.
///
/// On forward the outer header has been written: `frame` and `length` describe the new frame, and `length` is also
/// smaller by any Ethernet padding that was behind the IP packet; `contiguous` and `headroom` are still those of the
/// frame that came. On any other verdict the four are as they were, and so are the bytes.
struct Packet {
  uint8_t* frame = nullptr;
  uint32_t length = 0;
  uint32_t contiguous = 0;  // ≤ length
  uint32_t headroom = 0;
  Verdict verdict = Verdict::drop;
  /// drop: why. pass: the reason to count when there is no kernel interface to pass the frame to.
  DropReason reason = DropReason::truncated;
  uint8_t port = 0;  // forward: index into SegmentHeader::ports
};

}  // namespace warmswap::packet
