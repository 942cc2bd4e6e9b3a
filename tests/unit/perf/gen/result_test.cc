#include "perf/gen/result.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <limits>
#include <sstream>

#include "perf/gen/json_result.h"
#include "perf/gen/page.h"
#include "perf/gen/text_result.h"
#include "perf/report/html.h"

namespace warmswap::gen {
namespace {

RunResult faultless() {
  RunResult result;
  result.duration = std::chrono::seconds(2);
  result.offered_rate = 500;
  result.offered = 1000;
  result.transmitted = 1000;
  result.transmitted_bytes = 60'000;
  result.interval = std::chrono::milliseconds(100);
  result.transmitted_timeline.assign(21, 50);
  StreamConfig stream;
  stream.vips = {*parse_ip("198.51.100.10")};
  result.traffic = {stream};
  result.streams.push_back({.name = "stream", .transmitted = 1000, .tally = {}});
  StreamTally& tally = result.streams[0].tally;
  tally.received = 1000;
  for (uint64_t i = 1; i <= 1000; ++i) tally.latency.record(i * 1000);
  result.backends.push_back(
      {.name = "ipip 192.0.2.11", .tally = {}, .share = 1, .timeline = std::vector<uint32_t>(21, 47)});
  return result;
}

TEST(Verdict, OkWithoutFault) {
  const Verdict verdict = judge(faultless(), {});
  EXPECT_TRUE(verdict.ok);
  EXPECT_FALSE(verdict.generator_limited);
  EXPECT_FALSE(verdict.noisy);
}

TEST(Verdict, EveryFaultCounts) {
  const auto fails = [](auto change, Limits limits = {}) {
    RunResult result = faultless();
    change(result);
    return !judge(result, limits).ok;
  };
  EXPECT_TRUE(fails([](RunResult& result) { result.streams[0].tally.misrouted_flows = 1; }));
  EXPECT_FALSE(fails([](RunResult& result) { result.streams[0].tally.misrouted_flows = 1; }, {.misrouted_flows = 1}));
  EXPECT_TRUE(fails([](RunResult& result) { result.streams[0].tally.duplicated = 1; }));
  EXPECT_TRUE(fails([](RunResult& result) { result.corrupt = 1; }));
  EXPECT_TRUE(fails([](RunResult& result) { result.streams[0].tally.received = 999; }));
  EXPECT_FALSE(fails([](RunResult& result) { result.streams[0].tally.received = 999; }, {.loss = 0.001}));
  EXPECT_TRUE(fails([](RunResult& result) { result.streams[0].tally.received = 998; }, {.loss = 0.001}));
  EXPECT_TRUE(fails([](RunResult& result) { result.transmitted = 0; }));
  EXPECT_FALSE(fails([](RunResult& result) { result.foreign = 5; })) << "others' traffic is no fault of the balancer";
  EXPECT_FALSE(fails([](RunResult& result) { result.streams[0].tally.reordered = 5; }));
}

TEST(Verdict, TellsWhenTheGeneratorWasTheLimitOrTheMachineNoisy) {
  RunResult result = faultless();
  result.offered = 1002;
  EXPECT_TRUE(judge(result, {}).generator_limited);
  EXPECT_TRUE(judge(result, {}).ok);
  result.offered_rate = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(judge(result, {}).generator_limited) << "without a rate there is none to miss";
  result.cpu_use.steal = 0.02;
  EXPECT_TRUE(judge(result, {}).noisy);
  result.cpu_use.steal = 0;
  result.waited = std::chrono::milliseconds(30);
  EXPECT_TRUE(judge(result, {}).noisy) << "30 ms of 2 s";
}

TEST(Result, AllFormsSayTheSame) {
  RunResult result = faultless();
  result.streams[0].tally.received = 990;
  const Verdict verdict = judge(result, {});
  const auto json = to_json(result, verdict);
  EXPECT_EQ(json.at("lost").to_number<uint64_t>(), 10u);
  EXPECT_DOUBLE_EQ(json.at("loss_ratio").as_double(), 0.01);
  EXPECT_FALSE(json.at("verdict").at("ok").as_bool());
  EXPECT_EQ(json.at("latency_ns").at("max").to_number<uint64_t>(), 1'000'000u);
  EXPECT_EQ(json.at("timeline").at("received").as_array().size(), 21u);
  EXPECT_DOUBLE_EQ(json.at("received_pps").as_double(), 495);
  std::ostringstream text;
  print_result(text, result, verdict);
  EXPECT_NE(text.str().find("verdict: failed: 10 of 1000 packets were lost (1 %), at most 0 % allowed"),
            std::string::npos)
      << text.str();
  EXPECT_NE(text.str().find("ipip 192.0.2.11"), std::string::npos);
  const std::string page = report::html_page(make_page(result, verdict));
  EXPECT_NE(page.find("10 of 1000 packets were lost"), std::string::npos);
  EXPECT_NE(page.find("<svg"), std::string::npos);
}

TEST(Result, WithoutAFlowTableWhatWasNotCheckedIsNotZero) {
  RunResult result = faultless();
  result.flow_table = false;
  const auto json = to_json(result, judge(result, {}));
  EXPECT_TRUE(json.at("misrouted_flows").is_null());
  EXPECT_TRUE(json.at("reordered").is_null());
  std::ostringstream text;
  print_result(text, result, judge(result, {}));
  EXPECT_NE(text.str().find("misrouted flows not checked"), std::string::npos) << text.str();
}

TEST(Text, Numbers) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1 000");
  EXPECT_EQ(format_count(1234567), "1 234 567");
  EXPECT_EQ(format_ns(40), "40 ns");
  EXPECT_EQ(format_ns(1250), "1.25 µs");
  EXPECT_EQ(format_ns(3.2e6), "3.2 ms");
  EXPECT_EQ(format_ns(2e9), "2 s");
}

}  // namespace
}  // namespace warmswap::gen
