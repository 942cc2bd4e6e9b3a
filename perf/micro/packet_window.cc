#include "perf/micro/packet_window.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

#include "dataplane/contract/wire.h"
#include "dataplane/packet/checksum.h"
#include "perf/micro/balancer.h"

namespace warmswap::perf {
namespace {

using contract::Be16;
using contract::Be32;
using contract::store;

// rte_mbuf (128 bytes), RTE_PKTMBUF_HEADROOM and a data room of 2048: buffers this far apart share cache sets as real
// ones do.
constexpr size_t kMbufBytes = 128;
constexpr uint32_t kHeadroom = 128;
constexpr size_t kStride = kMbufBytes + kHeadroom + 2048;
constexpr uint32_t kFrameBytes = 60;
constexpr size_t kMemoryBytes = (kWindowPackets * kStride + (size_t{2} << 20) - 1) & ~((size_t{2} << 20) - 1);

void write_frame(uint8_t* frame, uint64_t flow, uint32_t vips) noexcept {
  std::memset(frame, 0, kFrameBytes);
  frame[0] = 2;
  store(frame + 12, Be16(contract::kEtherTypeIpv4));
  const uint64_t tuple = gen::mix64(flow + 1);  // mix64(0) is 0
  uint8_t* ip = frame + sizeof(contract::EthernetHeader);
  contract::Ipv4Header header{};
  header.version_ihl = 0x45;
  header.total_length = Be16(sizeof(contract::Ipv4Header) + contract::kTcpHeaderBytes);
  header.identification = Be16(static_cast<uint16_t>(flow));
  header.flags_fragment = Be16(contract::kIpv4DontFragment);
  header.ttl = 64;
  header.protocol = contract::kProtoTcp;
  header.source = Be32(0x64400000 + static_cast<uint32_t>(tuple % (1u << 22)));  // 100.64.0.0/10
  header.destination = vip_address(static_cast<uint32_t>((tuple >> 40) % vips));
  store(ip, header);
  header.checksum = static_cast<uint16_t>(~packet::header_sum(ip, 5));
  store(ip, header);
  uint8_t* tcp = ip + sizeof(header);
  store(tcp, Be16(static_cast<uint16_t>(1024 + (tuple >> 22) % 64512)));
  store(tcp + 2, Be16(80));
  tcp[12] = 0x50;
  tcp[13] = 0x10;  // ACK
}

}  // namespace

void PacketWindow::Unmap::operator()(uint8_t* memory) const noexcept {
  munmap(memory, kMemoryBytes);
}

PacketWindow::PacketWindow(uint64_t flows, uint32_t vips)
    : flows_(flows), vips_(vips), buffers_(std::make_unique<Buffer[]>(kWindowPackets)) {
  void* mapped = mmap(nullptr, kMemoryBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  // DPDK's buffers lie on hugepages.
  madvise(mapped, kMemoryBytes, MADV_HUGEPAGE);
  memory_.reset(static_cast<uint8_t*>(mapped));
  for (uint32_t i = 0; i < kWindowPackets; ++i) {
    buffers_[i] = {memory_.get() + i * kStride + kMbufBytes + kHeadroom, kFrameBytes, kHeadroom};
  }
  refill();
}

void PacketWindow::refill() noexcept {
  for (uint32_t i = 0; i < kWindowPackets; ++i) {
    write_frame(buffers_[i].frame, random_.below(flows_), vips_);
  }
}

}  // namespace warmswap::perf
