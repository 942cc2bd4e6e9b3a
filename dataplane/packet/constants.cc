#include "dataplane/packet/constants.h"

#include "dataplane/contract/wire.h"

namespace warmswap::packet {

using contract::Ipv4Header;
static_assert(sizeof(Ipv4Header) == contract::kTcpHeaderBytes);

const Constants kConstants = {
    .one = 1,
    .low8 = 0xff,
    .second8 = 0xff00,
    .low16 = 0xffff,
    .low32 = 0xffffffff,
    .all = ~uint64_t{0},
    .sign = uint64_t{1} << 63,
    .minus_two_16 = 0xfffe,
    .ip_bytes = sizeof(Ipv4Header),
    .udp_bytes = contract::kUdpHeaderBytes,
    .udp = contract::kProtoUdp,
    .tcp = contract::kProtoTcp,
    .tcp_offset = 0x3c,
    .fixed_ip0 = uint64_t{0xff} | uint64_t{0xff3f} << 48,
    .version_ihl = 0x45,
    .hash_length = uint64_t{13} << 56,
    .copied = uint64_t{0xff} << 48 | uint64_t{0xffff} << 32 | uint64_t{0xffff} << 16 | contract::kIpv4DontFragment,
    .added_length = uint64_t{sizeof(Ipv4Header)} << 32,
};

}  // namespace warmswap::packet
