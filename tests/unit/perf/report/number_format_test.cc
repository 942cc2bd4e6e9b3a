#include "perf/report/number_format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace warmswap::report {
namespace {

struct Case {
  double value;
  const char* unit;
  const char* expected;  // ~ stands for a no-break space
};

std::string with_spaces(std::string text) {
  for (size_t at = 0; (at = text.find('~', at)) != std::string::npos;) text.replace(at, 1, "\u00a0");
  return text;
}

TEST(NumberFormat, ValuesTakeThePrefixAPersonWouldUse) {
  const Case cases[] = {
      {6.2e6, "pps", "6.2~Mpps"}, {999.96, "pps", "1~kpps"},    {999.4, "pps", "999.4~pps"},
      {0.25, "pps", "0.25~pps"},  {1e13, "bit/s", "10~Tbit/s"}, {1500, "ns", "1.5~µs"},
      {0.5, "ns", "500~ps"},      {12, "us", "12~µs"},          {2e6, "us", "2~s"},
      {90000, "ms", "90~s"},      {7200, "s", "7200~s"},        {20000, "", "20k"},
      {1.23456e6, "", "1.235M"},  {0, "pps", "0~pps"},          {0, "", "0"},
      {-12.5, "%", "−12.5~%"},    {100000, "%", "100000~%"},    {33.4, "cycles", "33.4~cycles"},
      {-2500, "", "−2.5k"},       {1e300, "pps", "1e+300~pps"}, {0.00012346, "", "0.0001235"},
  };
  for (const Case& c : cases) EXPECT_EQ(Unit(c.unit).format(c.value), with_spaces(c.expected)) << c.value << c.unit;
}

TEST(NumberFormat, WhatIsNoNumberIsSaid) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Unit("pps").format(std::nan("")), "–");
  EXPECT_EQ(format_number(infinity, 3), "∞");
  EXPECT_EQ(format_number(-infinity, 3), "−∞");
}

TEST(NumberFormat, WhatRoundsToZeroHasNoSign) {
  EXPECT_EQ(format_fixed(-0.001, 2), "0.00");
  EXPECT_EQ(format_fixed(-0.006, 2), "−0.01");
  EXPECT_EQ(format_fixed(-0.0, 0), "0");
}

}  // namespace
}  // namespace warmswap::report
