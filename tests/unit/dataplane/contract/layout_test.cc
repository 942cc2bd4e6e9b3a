// docs/contract.md lists the offset of every field of the shared structures; here they are held against the code, so
// that neither moves without the other.
#include "dataplane/contract/layout.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <map>
#include <regex>
#include <string>

namespace warmswap::contract {
namespace {

#define FIELD(type, field) \
  { #type "." #field, offsetof(type, field) }
#define SIZE(type) \
  { #type, sizeof(type) }

const std::map<std::string, size_t> kLayout = {
    SIZE(SegmentHeader),
    FIELD(SegmentHeader, magic),
    FIELD(SegmentHeader, abi_version),
    FIELD(SegmentHeader, header_bytes),
    FIELD(SegmentHeader, geometry),
    FIELD(SegmentHeader, segment_bytes),
    FIELD(SegmentHeader, workers),
    FIELD(SegmentHeader, worker_stride),
    FIELD(SegmentHeader, arena),
    FIELD(SegmentHeader, instance),
    FIELD(SegmentHeader, dataplane),
    FIELD(SegmentHeader, control),
    FIELD(SegmentHeader, housekeeper),
    FIELD(SegmentHeader, ports),
    SIZE(Geometry),
    FIELD(Geometry, worker_capacity),
    FIELD(Geometry, vip_capacity),
    FIELD(Geometry, backend_capacity),
    FIELD(Geometry, arena_bytes),
    SIZE(DataplaneLine),
    FIELD(DataplaneLine, epoch),
    FIELD(DataplaneLine, started_ns),
    FIELD(DataplaneLine, tick_ns),
    FIELD(DataplaneLine, lease_expiries),
    FIELD(DataplaneLine, state),
    FIELD(DataplaneLine, pid),
    FIELD(DataplaneLine, worker_count),
    FIELD(DataplaneLine, port_count),
    SIZE(ControlLine),
    FIELD(ControlLine, root),
    FIELD(ControlLine, lease_until_ns),
    FIELD(ControlLine, epoch),
    FIELD(ControlLine, publishes),
    FIELD(ControlLine, pid),
    SIZE(Quiescence),
    FIELD(Quiescence, generation),
    FIELD(Quiescence, seen_ns),
    FIELD(Quiescence, state),
    SIZE(PortRecord),
    FIELD(PortRecord, name),
    FIELD(PortRecord, interface),
    FIELD(PortRecord, mac),
    FIELD(PortRecord, mtu),
    FIELD(PortRecord, present),
    SIZE(WorkerRegion),
    FIELD(WorkerRegion, quiescence),
    FIELD(WorkerRegion, totals),
    FIELD(WorkerRegion, drops),
    SIZE(HandshakeCounter),
    FIELD(HandshakeCounter, completed),
    FIELD(HandshakeCounter, retransmitted),
    FIELD(HandshakeCounter, lapsed),
    FIELD(HandshakeCounter, completed_ns),
    SIZE(BlockHeader),
    FIELD(BlockHeader, kind),
    FIELD(BlockHeader, bytes),
    FIELD(BlockHeader, born),
    SIZE(SnapshotRoot),
    FIELD(SnapshotRoot, generation),
    FIELD(SnapshotRoot, hash_key),
    FIELD(SnapshotRoot, vip_index),
    FIELD(SnapshotRoot, vip_bucket_mask),
    FIELD(SnapshotRoot, pool_count),
    FIELD(SnapshotRoot, pools),
    FIELD(SnapshotRoot, entropy_mask),
    FIELD(SnapshotRoot, sampled_below),
    FIELD(SnapshotRoot, fingerprint),
    FIELD(SnapshotRoot, vip_directory),
    FIELD(SnapshotRoot, vip_count),
    FIELD(SnapshotRoot, overlay),
    FIELD(SnapshotRoot, published_ns),
    SIZE(VipEntry),
    FIELD(VipEntry, address),
    FIELD(VipEntry, port),
    FIELD(VipEntry, protocol),
    FIELD(VipEntry, vip),
    FIELD(VipEntry, pool),
    SIZE(PoolRecord),
    FIELD(PoolRecord, ring),
    FIELD(PoolRecord, seats),
    FIELD(PoolRecord, ring_size),
    FIELD(PoolRecord, seat_count),
    FIELD(PoolRecord, directory),
    FIELD(PoolRecord, least_mtu),
    FIELD(PoolRecord, port),
    SIZE(Seat),
    FIELD(Seat, backend),
    FIELD(Seat, mtu),
    FIELD(Seat, header_sum),
    FIELD(Seat, port),
    FIELD(Seat, encapsulation),
    FIELD(Seat, flags),
    FIELD(Seat, header),
    SIZE(VipInfo),
    SIZE(PoolInfo),
    SIZE(BackendInfo),
    FIELD(BackendInfo, address),
    FIELD(BackendInfo, id),
    FIELD(BackendInfo, role),
    FIELD(BackendInfo, state),
    FIELD(BackendInfo, admin),
    FIELD(BackendInfo, held),
    FIELD(BackendInfo, flaps),
    FIELD(BackendInfo, failures),
    FIELD(BackendInfo, since_ns),
    FIELD(BackendInfo, base_packets),
    FIELD(BackendInfo, base_bytes),
    FIELD(BackendInfo, failed_ns),
    SIZE(SeatInfo),
    FIELD(SeatInfo, owner),
    FIELD(SeatInfo, holder),
    FIELD(SeatInfo, share),
};

TEST(Layout, DocumentedOffsetsAreTheOffsetsOfTheCode) {
  std::ifstream page(WARMSWAP_SOURCE_ROOT "/docs/contract.md");
  ASSERT_TRUE(page) << "docs/contract.md is missing";
  // Rows read: | `Struct.field` | 128 | … |   and   | `Struct` | 1344 | … |
  const std::regex row(R"(^\| `([A-Za-z_.]+)` \| (\d+) \|)");
  std::map<std::string, size_t> documented;
  for (std::string line; std::getline(page, line);) {
    std::smatch match;
    if (std::regex_search(line, match, row)) documented[match[1]] = std::stoul(match[2]);
  }
  for (const auto& [name, value] : kLayout) {
    ASSERT_TRUE(documented.contains(name)) << name << " = " << value << " is missing in docs/contract.md";
    EXPECT_EQ(documented[name], value) << name;
  }
  EXPECT_EQ(documented.size(), kLayout.size()) << "docs/contract.md lists a field that the code does not check";
}

TEST(Layout, DocumentNamesTheAbiVersion) {
  std::ifstream page(WARMSWAP_SOURCE_ROOT "/docs/contract.md");
  const std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
  EXPECT_NE(text.find("ABI version **" + std::to_string(kAbiVersion) + "**"), std::string::npos);
}

}  // namespace
}  // namespace warmswap::contract
