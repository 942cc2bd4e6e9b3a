#include "perf/gen/flow_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "perf/gen/wide.h"

namespace warmswap::gen {
namespace {

using contract::Error;
using contract::Result;

constexpr uint32_t kGenerations = 64;            // source ports of a flow that lives connection after connection
constexpr uint64_t kPlaces = uint64_t{1} << 62;  // what Permutation takes, with room

std::vector<AddressPrefix> sources_of(const StreamConfig& config) {
  return config.sources.empty() ? default_sources(config.v6()) : config.sources;
}

uint32_t generations_of(const StreamConfig& config) {
  return config.life_cycle ? std::min(kGenerations, config.source_ports.count()) : 1;
}

bool same_prefix(const AddressPrefix& prefix, const uint8_t* address, uint32_t fixed_bytes) noexcept {
  return std::memcmp(prefix.address.bytes.data(), address, fixed_bytes) == 0;
}

/// A sentence about what would give two flows the same addresses and ports; empty when nothing does.
std::string ambiguity(const StreamConfig& config) {
  const std::vector<AddressPrefix> sources = sources_of(config);
  for (size_t i = 0; i < sources.size(); ++i) {
    for (size_t j = 0; j < sources.size(); ++j) {
      const AddressPrefix& wide = sources[i];
      const AddressPrefix& narrow = sources[j];
      const uint32_t fixed = wide.address.size() - 4;
      if (i != j && same_prefix(wide, narrow.address.bytes.data(), fixed) &&
          narrow.address.low() - wide.address.low() < wide.count()) {
        return fmt::format("sources {} and {} overlap", format_address_prefix(wide), format_address_prefix(narrow));
      }
    }
  }
  for (size_t i = 0; i < config.vips.size(); ++i) {
    for (size_t j = i + 1; j < config.vips.size(); ++j) {
      if (config.vips[i] == config.vips[j]) return fmt::format("vip {} is named twice", format_ip(config.vips[i]));
    }
  }
  return {};
}

}  // namespace

Result<FlowSpace> FlowSpace::make(const StreamConfig& config, uint64_t seed) {
  if (config.vips.empty()) return Error{fmt::format("stream {}: no vip to send to", config.name)};
  if (const std::string twice = ambiguity(config); !twice.empty()) {
    return Error{fmt::format("stream {}: {}", config.name, twice)};
  }
  Uint128 places = 0;
  for (const AddressPrefix& source : sources_of(config)) {
    if (source.address.v6 != config.v6()) {
      return Error{fmt::format("stream {}: source {} is not of the family of vip {}", config.name,
                               format_address_prefix(source), format_ip(config.vips.front()))};
    }
    places += source.count();
  }
  places *= config.source_ports.count() / generations_of(config);
  places *= config.vips.size();
  places *= config.ports.count();
  if (places > kPlaces) {
    return Error{
        fmt::format("stream {}: sources, ports and vips make more than 2^62 different flows: name smaller "
                    "source prefixes",
                    config.name)};
  }
  if (config.choice != Choice::fresh && places < config.flows) {
    return Error{
        fmt::format("stream {}: {} flows asked for, but its sources, source ports, vips and ports make only {}",
                    config.name, config.flows, static_cast<uint64_t>(places))};
  }
  return FlowSpace(config, static_cast<uint64_t>(places), seed);
}

FlowSpace::FlowSpace(const StreamConfig& config, uint64_t places, uint64_t seed)
    : sources_(sources_of(config)),
      vips_(config.vips),
      ports_(config.ports),
      source_ports_(config.source_ports),
      blocks_(config.source_ports.count() / generations_of(config)),
      generations_(generations_of(config)),
      flows_(config.choice == Choice::fresh ? places : config.flows),
      v6_(config.v6()),
      permutation_(places, seed) {
  for (const AddressPrefix& source : sources_) {
    source_starts_.push_back(addresses_);
    addresses_ += source.count();
  }
}

FlowTuple FlowSpace::tuple(uint64_t flow, uint32_t generation) const noexcept {
  uint64_t place = permutation_(flow);
  FlowTuple tuple;
  uint64_t address = place % addresses_;
  place /= addresses_;
  const auto block = static_cast<uint32_t>(place % blocks_);
  place /= blocks_;
  if (vips_.size() > 1) {
    tuple.vip = static_cast<uint32_t>(place % vips_.size());
    place /= vips_.size();
  }
  tuple.port = static_cast<uint16_t>(ports_.first + place);
  while (tuple.source + 1 < sources_.size() && address >= source_starts_[tuple.source + 1]) ++tuple.source;
  address -= source_starts_[tuple.source];
  tuple.source_low = sources_[tuple.source].address.low() + static_cast<uint32_t>(address);
  const uint32_t turn = generations_ == 1 ? 0 : generation % generations_;
  tuple.source_port = static_cast<uint16_t>(source_ports_.first + block + turn * blocks_);
  return tuple;
}

std::optional<FlowSpace::Flow> FlowSpace::find(const uint8_t* source, uint16_t source_port, const uint8_t* vip,
                                               uint16_t port) const noexcept {
  const uint32_t bytes = v6_ ? 16 : 4;
  const uint32_t low = contract::load<contract::Be32>(source + bytes - 4).host();
  size_t prefix = 0;
  while (prefix < sources_.size() && !(same_prefix(sources_[prefix], source, bytes - 4) &&
                                       low - sources_[prefix].address.low() < sources_[prefix].count())) {
    ++prefix;
  }
  size_t vip_index = 0;
  while (vip_index < vips_.size() && std::memcmp(vips_[vip_index].bytes.data(), vip, bytes) != 0) ++vip_index;
  const uint32_t port_offset = uint32_t{source_port} - source_ports_.first;
  if (prefix == sources_.size() || vip_index == vips_.size() || source_port < source_ports_.first ||
      port_offset >= blocks_ * generations_ || port < ports_.first || port > ports_.last) {
    return std::nullopt;
  }
  uint64_t place = uint64_t{port} - ports_.first;
  place = place * vips_.size() + vip_index;
  place = place * blocks_ + port_offset % blocks_;
  place = place * addresses_ + source_starts_[prefix] + (low - sources_[prefix].address.low());
  const uint64_t index = permutation_.inverse(place);
  if (index >= flows_) return std::nullopt;
  return Flow{index, port_offset / blocks_};
}

}  // namespace warmswap::gen
