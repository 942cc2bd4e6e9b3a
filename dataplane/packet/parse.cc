#include "dataplane/packet/parse.h"

namespace warmswap::packet::detail {

LinkEnd skip_tags(const Packet& packet, contract::Be16 ether_type) noexcept {
  // One service tag and one customer tag (802.1ad); a deeper stack is not an access network's and goes to the kernel.
  constexpr int kMaxTags = 2;
  constexpr uint16_t kTagBytes = sizeof(contract::VlanTag);
  LinkEnd end{sizeof(contract::EthernetHeader), ether_type};
  for (int i = 0; i < kMaxTags; ++i) {
    const uint16_t type = end.ether_type.host();
    if (type != contract::kEtherTypeVlan && type != contract::kEtherTypeQinQ) return end;
    if (packet.contiguous < uint32_t{end.ip_offset} + kTagBytes) return {0, ether_type};
    end.ether_type = contract::load<contract::VlanTag>(packet.frame + end.ip_offset).ether_type;
    end.ip_offset = static_cast<uint16_t>(end.ip_offset + kTagBytes);
  }
  return end;
}

}  // namespace warmswap::packet::detail
