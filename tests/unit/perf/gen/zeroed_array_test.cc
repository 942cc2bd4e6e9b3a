#include "perf/gen/zeroed_array.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace warmswap::gen {
namespace {

TEST(ZeroedArray, IsZeroAndOwnedOnce) {
  ZeroedArray<uint32_t> array(1'000'000, true);
  ASSERT_TRUE(array);
  EXPECT_EQ(array.bytes(), 4'000'000u);
  EXPECT_EQ(array[0] + array[999'999], 0u);
  array[999'999] = 7;
  std::vector<ZeroedArray<uint32_t>> arrays;
  arrays.push_back(std::move(array));
  arrays.emplace_back(size_t{5}, false);
  EXPECT_EQ(arrays[0][999'999], 7u);
  EXPECT_EQ(arrays[0].part(999'998, 2)[1], 7u);
  arrays[0] = ZeroedArray<uint32_t>(10, false);
  EXPECT_EQ(arrays[0][9], 0u);
}

TEST(ZeroedArray, SaysWhenThereIsNoMemory) {
  EXPECT_FALSE(ZeroedArray<uint64_t>(size_t{1} << 55, false)) << "beyond the address space";
  EXPECT_FALSE(ZeroedArray<uint64_t>(0, true)) << "nothing was asked for";
}

}  // namespace
}  // namespace warmswap::gen
