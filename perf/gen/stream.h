// One stream of packets: which flow, kind and size comes next, written as a frame. A function of the configuration and
// the seed: the n-th packet is the same in every run. One thread; next() is allocation-free.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/contract/result.h"
#include "perf/gen/flow_space.h"
#include "perf/gen/frame.h"
#include "perf/gen/random.h"
#include "perf/gen/traffic.h"
#include "perf/gen/zeroed_array.h"
#include "perf/gen/zipf.h"

namespace warmswap::gen {

/// What all streams of a traffic have in common.
struct StreamContext {
  uint32_t index = 0;  // the stream's number in the signatures
  uint64_t seed = 1;
  contract::MacAddress source_mac{};
  contract::MacAddress destination_mac{};
};

/// The key of signatures of this seed.
uint64_t signature_key(uint64_t seed);
/// The flow space of stream `index`; sender and receiver build the same.
contract::Result<FlowSpace> make_flow_space(const StreamConfig& config, uint32_t index, uint64_t seed);

class Stream {
 public:
  static contract::Result<Stream> make(const StreamConfig& config, const StreamContext& context);

  /// Writes the stream's next frame, with this departure in its signature, to a buffer of largest_frame() bytes.
  /// Returns its length.
  uint32_t next(uint8_t* to, uint64_t departure) noexcept;

  /// Frames written so far.
  uint64_t count() const noexcept { return count_; }
  uint32_t largest_frame() const noexcept { return largest_; }
  /// Mean length of the frames without FCS.
  double mean_frame() const noexcept { return mean_; }

 private:
  struct Variant {
    uint64_t below;  // of 2^32 equally likely draws, those below this one and above the previous ones choose it
    FrameTemplate frame;
  };

  Stream(const StreamConfig& config, const StreamContext& context, FlowSpace space);
  void add_variants(const StreamConfig& config, const StreamContext& context);
  uint64_t choose_flow() noexcept;
  const FrameTemplate& choose_frame(uint64_t flow, uint32_t& generation) noexcept;
  const FrameTemplate& draw(const std::vector<Variant>& variants) noexcept;

  FlowSpace space_;
  uint32_t index_;
  uint64_t key_;
  SplitMix64 random_;
  Choice choice_;
  Permutation popularity_;  // rank → flow: the popular ones lie anywhere in the space
  Zipf zipf_;
  std::vector<Variant> variants_;
  /// For life cycles: how many packets each flow has sent, and the frames that open and close a connection.
  ZeroedArray<uint32_t> progress_;
  uint32_t cycle_ = 0;     // packets of a connection, 0 = no life cycles
  uint64_t step_key_ = 0;  // says where in its first connection a flow begins
  std::vector<Variant> opening_;
  std::vector<Variant> closing_;
  uint64_t count_ = 0;
  uint32_t largest_ = 0;
  double mean_ = 0;
};

}  // namespace warmswap::gen
