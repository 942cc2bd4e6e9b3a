#include "perf/micro/balancer.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "perf/micro/tsc.h"

namespace warmswap::perf {
namespace {

using contract::Be16;
using contract::Be32;

template <typename T>
T or_throw(contract::Result<T> result) {
  if (!result) throw std::runtime_error(result.error());
  return std::move(*result);
}

std::string numbered(const char* prefix, uint32_t number) {
  std::string digits = std::to_string(number);
  return prefix + std::string(5 - std::min<size_t>(digits.size(), 5), '0') + digits;
}

table::PoolRow pool_row(const BalancerShape& shape, uint32_t pool) {
  table::PoolRow row;
  row.name = numbered("pool", pool);
  std::vector<table::OwnedSeat> seats;
  for (uint32_t b = 0; b < shape.backends; ++b) {
    contract::BackendInfo info{};
    const std::string name = numbered("backend", b);
    name.copy(info.name, sizeof(info.name) - 1);
    const uint32_t number = pool * shape.backends + b;
    info.address = Be32(0xac100000 + number);  // 172.16.0.0/12
    info.id = static_cast<uint16_t>(number);
    row.backends.push_back(info);
    row.holders.push_back(static_cast<uint16_t>(b));
    row.owners.push_back(static_cast<uint16_t>(b));
    row.routes.push_back(table::Route{
        .port = 0,
        .source_mac = {2, 0, 0, 0, 0, 1},
        .next_hop_mac = contract::MacAddress{2, 0, 0, 1, static_cast<uint8_t>(b >> 8), static_cast<uint8_t>(b)},
        .mtu = 1600});
    seats.push_back({name, 100});
  }
  row.ring = std::make_shared<table::PoolRing>(table::PoolRing(), shape.ring_size, seats,
                                               std::vector<table::Opening>(shape.backends));
  return row;
}

table::VipRow vip_row(const BalancerShape& shape, uint32_t vip) {
  table::VipRow row;
  numbered("vip", vip).copy(row.info.name, sizeof(row.info.name) - 1);
  row.info.address = vip_address(vip);
  row.info.port = Be16(80);
  row.info.protocol = contract::kProtoTcp;
  row.info.id = vip;
  row.info.pool = vip % shape.pools;
  return row;
}

contract::Geometry geometry_for(const BalancerShape& shape) {
  const uint64_t rings = uint64_t{shape.pools} * shape.ring_size * sizeof(uint16_t);
  const uint64_t seats = uint64_t{shape.pools} * shape.backends * (sizeof(contract::Seat) + 128);
  const uint64_t vips = uint64_t{shape.vips} * (sizeof(contract::VipInfo) + 8 * sizeof(contract::VipEntry));
  const uint64_t needed = 4 * (rings + seats + vips) + (uint64_t{16} << 20);
  return {.worker_capacity = 1,
          .vip_capacity = std::max(shape.vips, 16384u),
          .backend_capacity = std::max(shape.pools * shape.backends, 16384u),
          .arena_bytes = (needed / contract::kRegionAlignment + 1) * contract::kRegionAlignment};
}

}  // namespace

contract::Be32 vip_address(uint32_t vip) noexcept {
  return Be32(0x0a000000 + vip);
}

Balancer::Balancer(const BalancerShape& shape) : shape_(shape) {
  if (shape.pools * shape.backends > 0xffff) throw std::invalid_argument("more than 65535 backends in all");
  std::string pattern = "/dev/shm/warmswap-bench-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a directory in /dev/shm");
  const std::filesystem::path directory = pattern;
  const std::filesystem::path path = directory / "segment";
  dataplane_ = std::make_unique<contract::Segment>(or_throw(contract::Segment::create_or_adopt(
      {.instance = "bench", .group = {}, .geometry = geometry_for(shape), .paths = {path}, .create_at = {path}})));
  control_ =
      std::make_unique<contract::Segment>(or_throw(contract::Segment::attach({.instance = "bench", .paths = {path}})));
  // Both sides have it mapped: without a name it goes with the process, however that ends.
  std::filesystem::remove_all(directory);
  handshakes_ = std::make_unique<balance::Handshakes>(static_cast<uint64_t>(tsc_hz()));
  ledger_ = std::make_unique<balance::Ledger>(balance::Ledger{worker(), dataplane_->header().geometry, *handshakes_});
  publisher_ = or_throw(contract::Publisher::start(*control_));
  builder_ = std::make_unique<table::SnapshotBuilder>(*publisher_);
  rows_.hash_key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  rows_.outer_source = Be32(0xc6120000);
  rows_.entropy_bits = 16;
  rows_.handshake_sampling = shape.handshake_sampling;
  for (uint32_t p = 0; p < shape.pools; ++p)
    rows_.pools.push_back(std::make_shared<table::PoolRow>(pool_row(shape, p)));
  for (uint32_t v = 0; v < shape.vips; ++v) rows_.vips.push_back(vip_row(shape, v));
  publish();
}

balance::SnapshotView Balancer::view() const noexcept {
  return {dataplane_->base(), dataplane_->header().control.root.load()};
}

contract::Published Balancer::publish() {
  return or_throw(builder_->publish(rows_));
}

}  // namespace warmswap::perf
