#include "perf/gen/backend_table.h"

#include <gtest/gtest.h>

#include "dataplane/contract/byte_order.h"

namespace warmswap::gen {
namespace {

BackendKey ipip(uint32_t address) {
  BackendKey key{.encapsulation = Encapsulation::ipip, .size = 4, .address = {}};
  contract::store(key.address.data(), contract::Be32(address));
  return key;
}

TEST(BackendTable, NumbersInTheOrderOfAppearance) {
  BackendTable table;
  EXPECT_EQ(table.number(ipip(0xc0000214)), 0u);
  EXPECT_EQ(table.number(ipip(0xc000020b)), 1u);
  EXPECT_EQ(table.number(ipip(0xc0000214)), 0u);
  BackendKey gre = ipip(0xc0000214);
  gre.encapsulation = Encapsulation::gre;
  EXPECT_EQ(table.number(gre), 2u) << "another encapsulation is another way to get there";
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table.key(1), ipip(0xc000020b));
}

TEST(BackendTable, HoldsItsCapacityAndLumpsTheRest) {
  BackendTable table;
  for (uint32_t i = 0; i < BackendTable::kCapacity; ++i) ASSERT_EQ(table.number(ipip(i * 7919)), i);
  EXPECT_EQ(table.number(ipip(0xffffffff)), BackendTable::kCapacity);
  EXPECT_EQ(table.number(ipip(0xfffffffe)), BackendTable::kCapacity);
  for (uint32_t i = 0; i < BackendTable::kCapacity; ++i) ASSERT_EQ(table.number(ipip(i * 7919)), i);
  EXPECT_EQ(table.size(), BackendTable::kCapacity);
}

TEST(BackendTable, Names) {
  EXPECT_EQ(format_backend(ipip(0xc000020b)), "ipip 192.0.2.11");
  EXPECT_EQ(format_backend({.encapsulation = Encapsulation::gue, .size = 16, .address = {0x20, 0x01, 0x0d, 0xb8}}),
            "gue 2001:db8::");
  EXPECT_EQ(format_backend({.encapsulation = Encapsulation::none, .size = 6, .address = {2, 0, 0, 0, 0, 1}}),
            "plain 02:00:00:00:00:01");
}

}  // namespace
}  // namespace warmswap::gen
