#include "perf/gen/traffic.h"

#include <algorithm>

#include "perf/gen/signature.h"

namespace warmswap::gen {

std::vector<AddressPrefix> default_sources(bool v6) {
  return {*parse_address_prefix(v6 ? "2001:db8:1::/64" : "10.0.0.0/8")};
}

StreamConfig syn_flood(const StreamConfig& beside, double rate) {
  StreamConfig flood = beside;
  flood.name = "syn-flood";
  flood.transport = Transport::tcp;
  // Kept free for benchmarks (RFC 2544 §C.2.2, RFC 5180 §8): backends that answer harm nobody.
  flood.sources = {*parse_address_prefix(beside.v6() ? "2001:2::/48" : "198.18.0.0/15")};
  flood.source_ports = {1024, 65535};
  flood.choice = Choice::fresh;
  flood.kinds.assign(1, {Kind::syn, 1});
  flood.sizes.assign(1, {});
  flood.life_cycle.reset();
  flood.fixed_rate = rate;
  return flood;
}

uint16_t smallest_frame(bool v6, Transport transport, Kind kind) {
  const uint32_t ip = v6 ? 40 : sizeof(contract::Ipv4Header);
  const uint32_t rest =
      transport == Transport::tcp ? contract::kTcpHeaderBytes : contract::kUdpHeaderBytes + kSignatureBytes;
  const uint32_t headers = uint32_t{sizeof(contract::EthernetHeader)} + ip + rest + kFcsBytes;
  // A data segment carries something.
  const uint32_t data = transport == Transport::tcp && kind == Kind::data ? 1 : 0;
  return static_cast<uint16_t>(std::max<uint32_t>(headers + data, kSmallestFrame));
}

}  // namespace warmswap::gen
