// Which addresses and ports belong to which flow, both ways and without a table. Pure; any thread.
//
// The space has one place for every (source address, block of source ports, vip, vip port). A keyed permutation
// scatters the flow indices 0…flows-1 over it, so neighbouring indices share nothing: linear hashes over linear address
// ranges flatter or distort what is measured. A flow that lives several connections has a block of `generations` source
// ports to itself, spread over the whole range; generation g uses the one at g modulo their number.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/contract/result.h"
#include "perf/gen/permutation.h"
#include "perf/gen/traffic.h"

namespace warmswap::gen {

/// Numbers that make up a 5-tuple together with the stream's tables of sources and vips.
struct FlowTuple {
  uint32_t source = 0;      // index into FlowSpace::sources()
  uint32_t source_low = 0;  // last 32 bits of the source address, host order
  uint32_t vip = 0;         // index into FlowSpace::vips()
  uint16_t source_port = 0;
  uint16_t port = 0;
};

class FlowSpace {
 public:
  struct Flow {
    uint64_t index = 0;
    uint32_t generation = 0;  // modulo generations()
    friend bool operator==(const Flow&, const Flow&) = default;
  };

  /// Fails when the space has fewer places than the stream has flows, and on sources of another family than the vips.
  static contract::Result<FlowSpace> make(const StreamConfig& config, uint64_t seed);

  /// Flow indices are in [0, flows()): the stream's, or for Choice::fresh the whole space.
  uint64_t flows() const noexcept { return flows_; }
  uint32_t generations() const noexcept { return generations_; }
  const std::vector<AddressPrefix>& sources() const noexcept { return sources_; }
  const std::vector<IpAddress>& vips() const noexcept { return vips_; }

  FlowTuple tuple(uint64_t flow, uint32_t generation) const noexcept;
  /// The flow with these addresses (network order, size by family) and ports (host order); none when it is no flow of
  /// this space.
  std::optional<Flow> find(const uint8_t* source, uint16_t source_port, const uint8_t* vip,
                           uint16_t port) const noexcept;

 private:
  FlowSpace(const StreamConfig& config, uint64_t places, uint64_t seed);

  std::vector<AddressPrefix> sources_;
  std::vector<uint64_t> source_starts_;  // of each prefix within the numbered addresses
  std::vector<IpAddress> vips_;
  PortRange ports_;
  PortRange source_ports_;
  uint64_t addresses_ = 0;
  uint32_t blocks_ = 1;  // of source ports
  uint32_t generations_ = 1;
  uint64_t flows_ = 0;
  bool v6_ = false;
  Permutation permutation_;
};

}  // namespace warmswap::gen
