#include "dataplane/contract/seat.h"

#include <algorithm>

#include "dataplane/contract/wire.h"

namespace warmswap::contract {

Seat make_ipip_seat(const SeatParameters& parameters) {
  EthernetHeader ethernet{};
  ethernet.destination = parameters.next_hop_mac.value_or(MacAddress{});
  ethernet.source = parameters.source_mac;
  ethernet.ether_type = Be16(kEtherTypeIpv4);

  Ipv4Header outer{};
  outer.version_ihl = 0x45;
  outer.ttl = kOuterTtl;
  outer.protocol = kProtoIpip;
  outer.source = Be32::from_raw(parameters.outer_source.raw() & ~parameters.entropy_mask.raw());
  outer.destination = parameters.outer_destination;

  Seat seat{};
  seat.backend = parameters.backend;
  seat.mtu = parameters.next_hop_mac && parameters.backend != kNoBackend ? parameters.mtu : uint16_t{0};
  seat.port = parameters.port;
  seat.encapsulation = Encapsulation::ipip;
  seat.flags = parameters.next_hop_mac ? kSeatResolved : uint8_t{0};
  store(seat.header, ethernet);
  store(seat.header + sizeof(EthernetHeader), outer);
  seat.header_sum = outer_header_sum(seat);
  return seat;
}

uint16_t outer_header_sum(const Seat& seat) noexcept {
  uint32_t sum = 0;
  for (size_t i = 0; i < sizeof(Ipv4Header); i += 2) sum += load<uint16_t>(seat.header + sizeof(EthernetHeader) + i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

CommonWay common_way(std::span<const Seat> seats) noexcept {
  if (seats.empty()) return {};
  CommonWay way{seats.front().mtu, seats.front().port};
  for (const Seat& seat : seats) {
    if (seat.port != way.port) return {};
    way.least_mtu = std::min(way.least_mtu, seat.mtu);
  }
  return way.least_mtu == 0 ? CommonWay{} : way;
}

}  // namespace warmswap::contract
