#include "perf/gen/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace warmswap::gen {
namespace {

using contract::Be16;
using contract::Error;
using contract::Result;

constexpr uint64_t kDraws = uint64_t{1} << 32;

// Different uses of one seed must not meet the same numbers.
uint64_t derived(uint64_t seed, uint64_t purpose) noexcept {
  return mix64(mix64(seed) + purpose * 0x9e3779b97f4a7c15ULL);
}
enum Purpose : uint64_t {
  kSignatures = 1,
  kPlacesOf = 0x100,
  kPopularityOf = 0x200,
  kDrawsOf = 0x300,
  kStepsOf = 0x400
};

/// The flows that a rank can stand for; unused, and so as small as can be, where there are no ranks.
uint64_t ranks(const StreamConfig& config) {
  return config.choice == Choice::zipf ? config.flows : 1;
}

}  // namespace

uint64_t signature_key(uint64_t seed) {
  return derived(seed, kSignatures);
}

Result<FlowSpace> make_flow_space(const StreamConfig& config, uint32_t index, uint64_t seed) {
  return FlowSpace::make(config, derived(seed, kPlacesOf + index));
}

Result<Stream> Stream::make(const StreamConfig& config, const StreamContext& context) {
  auto space = make_flow_space(config, context.index, context.seed);
  if (!space) return Error{space.error()};
  for (const SizeWeight& size : config.sizes) {
    if (size.bytes > kLargestFrame) {
      return Error{
          fmt::format("stream {}: frames of {} bytes, expected at most {}", config.name, size.bytes, kLargestFrame)};
    }
  }
  Stream stream(config, context, std::move(*space));
  if (config.life_cycle && !stream.progress_) {
    return Error{fmt::format("stream {}: no memory for the life cycles of {} flows", config.name, config.flows)};
  }
  return stream;
}

Stream::Stream(const StreamConfig& config, const StreamContext& context, FlowSpace space)
    : space_(std::move(space)),
      index_(context.index),
      key_(signature_key(context.seed)),
      random_(derived(context.seed, kDrawsOf + context.index)),
      choice_(config.choice),
      popularity_(ranks(config), derived(context.seed, kPopularityOf + context.index)),
      zipf_(ranks(config), config.zipf_exponent) {
  add_variants(config, context);
  if (config.life_cycle) {
    cycle_ = *config.life_cycle + 2;
    step_key_ = derived(context.seed, kStepsOf + context.index);
    progress_ = ZeroedArray<uint32_t>(space_.flows(), true);
  }
}

void Stream::add_variants(const StreamConfig& config, const StreamContext& context) {
  FrameShape shape{.v6 = config.v6(),
                   .transport = config.transport,
                   .kind = Kind::data,
                   .bytes = kSmallestFrame,
                   .source_mac = context.source_mac,
                   .destination_mac = context.destination_mac};
  const auto small = [&](Kind kind) {
    shape.kind = kind;
    shape.bytes = kSmallestFrame;
    return FrameTemplate(shape);
  };
  const std::vector<KindWeight> only_data(1);
  const bool mixed = config.transport == Transport::tcp && !config.life_cycle;
  double total = 0;
  std::vector<std::pair<double, FrameTemplate>> weighted;
  const auto add = [&](double weight, FrameTemplate frame) {
    total += weight;
    mean_ += weight * frame.length();
    largest_ = std::max(largest_, frame.length());
    weighted.emplace_back(weight, std::move(frame));
  };
  double sizes = 0;
  for (const SizeWeight& size : config.sizes) sizes += size.weight;
  for (const KindWeight& kind : mixed ? config.kinds : only_data) {
    if (kind.kind != Kind::data) {
      add(kind.weight, small(kind.kind));
      continue;
    }
    for (const SizeWeight& size : config.sizes) {
      shape.kind = Kind::data;
      shape.bytes = size.bytes;
      add(kind.weight * (size.weight / sizes), FrameTemplate(shape));
    }
  }
  mean_ /= total;
  double sum = 0;
  for (auto& [weight, frame] : weighted) {
    sum += weight;
    variants_.push_back(
        {static_cast<uint64_t>(std::llround(sum / total * static_cast<double>(kDraws))), std::move(frame)});
  }
  variants_.back().below = kDraws;
  if (config.life_cycle) {
    opening_.push_back({kDraws, small(Kind::syn)});
    closing_.push_back({kDraws, small(Kind::fin)});
    const double ends = opening_[0].frame.length() + closing_[0].frame.length();
    mean_ = (mean_ * *config.life_cycle + ends) / (*config.life_cycle + 2.0);
    largest_ = std::max(largest_, opening_[0].frame.length());
  }
}

uint64_t Stream::choose_flow() noexcept {
  switch (choice_) {
    case Choice::uniform:
    case Choice::fresh:
      return random_.below(space_.flows());
    case Choice::zipf:
      return popularity_(zipf_(random_) - 1);
    case Choice::sequential:
      return count_ % space_.flows();
  }
  return 0;
}

const FrameTemplate& Stream::draw(const std::vector<Variant>& variants) noexcept {
  if (variants.size() == 1) return variants.front().frame;
  const uint64_t drawn = random_.next() >> 32;
  size_t i = 0;
  while (drawn >= variants[i].below) ++i;
  return variants[i].frame;
}

const FrameTemplate& Stream::choose_frame(uint64_t flow, uint32_t& generation) noexcept {
  if (cycle_ == 0) return draw(variants_);
  // Each flow begins somewhere in its first connection, so that the first packets have the mix of all others.
  const uint32_t progress = static_cast<uint32_t>(mix64(step_key_ + flow) % cycle_) + progress_[flow]++;
  generation = progress / cycle_;
  const uint32_t step = progress % cycle_;
  if (step == 0) return opening_.front().frame;
  return step + 1 == cycle_ ? closing_.front().frame : draw(variants_);
}

uint32_t Stream::next(uint8_t* to, uint64_t departure) noexcept {
  const uint64_t flow = choose_flow();
  uint32_t generation = 0;
  const FrameTemplate& frame = choose_frame(flow, generation);
  const FlowTuple tuple = space_.tuple(flow, generation);
  IpAddress source = space_.sources()[tuple.source].address;
  source.set_low(tuple.source_low);
  frame.write(to,
              {.source = source.bytes.data(),
               .destination = space_.vips()[tuple.vip].bytes.data(),
               .source_port = Be16(tuple.source_port),
               .destination_port = Be16(tuple.port),
               .signature = {.stream = index_,
                             .flow = static_cast<uint32_t>(flow) & kSignatureFlowMask,
                             .sequence = static_cast<uint32_t>(count_),
                             .departure = departure}},
              key_);
  ++count_;
  return frame.length();
}

}  // namespace warmswap::gen
