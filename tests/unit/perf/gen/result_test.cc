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
  EXPECT_TRUE(fails([](RunResult& result) { result.refused = 1; })) << "the device did not take it";
  EXPECT_FALSE(fails([](RunResult& result) { result.foreign = 5; })) << "others' traffic is no fault of the balancer";
  EXPECT_FALSE(fails([](RunResult& result) { result.streams[0].tally.reordered = 5; }));
}

TEST(Verdict, IsNoneWhereNothingWasMeasured) {
  const auto verdict_of = [](auto change, Limits limits = {}) {
    RunResult result = faultless();
    change(result);
    return judge(result, limits);
  };
  const auto none = [](const Verdict& verdict) { return verdict.ok && !verdict.measured; };
  EXPECT_TRUE(judge(faultless(), {}).measured);
  EXPECT_TRUE(none(verdict_of([](RunResult& result) {
    result.transmitted = result.streams[0].transmitted = result.streams[0].tally.received = 0;
  })));
  EXPECT_TRUE(none(verdict_of([](RunResult& result) { result.beyond = 1; }))) << "it may stand for a lost one";
  const auto lose = [](RunResult& result, uint64_t lost) { result.streams[0].tally.received = 1000 - lost; };
  EXPECT_TRUE(none(verdict_of([&](RunResult& result) { lose(result, 5), result.device_drops = 5; })));
  EXPECT_FALSE(verdict_of([&](RunResult& result) { lose(result, 6), result.device_drops = 5; }).ok)
      << "one more than the receiver can have lost";
  EXPECT_TRUE(none(verdict_of([&](RunResult& result) { lose(result, 6), result.device_drops = 5; }, {.loss = 0.001})));
  EXPECT_TRUE(none(verdict_of([&](RunResult& result) { lose(result, 6), result.overruns = 1; })));
  EXPECT_TRUE(verdict_of([](RunResult& result) { result.device_drops = 5; }).measured) << "nothing was lost by it";
  EXPECT_FALSE(verdict_of([&](RunResult& result) { lose(result, 5), result.device_drops = 5, result.corrupt = 1; }).ok)
      << "what is sure remains";
}

TEST(Verdict, TellsWhenTheGeneratorWasTheLimitOrTheMachineNoisy) {
  RunResult result = faultless();
  result.offered = 1002;
  EXPECT_TRUE(judge(result, {}).generator_limited);
  EXPECT_TRUE(judge(result, {}).ok);
  result.refused = 2;
  EXPECT_FALSE(judge(result, {.loss = 1}).generator_limited) << "it was ready to send them";
  result.refused = 0;
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

TEST(Result, OfAReplayOnlyWhatCanBeKnownIsSaid) {
  RunResult result = faultless();
  result.signed_packets = false;
  const auto json = to_json(result, judge(result, {}));
  for (const char* name : {"misrouted_flows", "reordered", "duplicated", "too_old"}) {
    EXPECT_TRUE(json.at(name).is_null()) << name;
  }
  std::ostringstream text;
  print_result(text, result, judge(result, {}));
  EXPECT_NE(text.str().find("duplicated not checked"), std::string::npos) << text.str();
}

TEST(Result, JsonHasTheHistogramItself) {
  const RunResult result = faultless();
  const auto json = to_json(result, judge(result, {}), "check");
  EXPECT_EQ(json.at("command").as_string(), "check");
  uint64_t counted = 0;
  for (const auto& bucket : json.at("latency_ns").at("buckets").as_array()) {
    counted += bucket.as_array().at(1).to_number<uint64_t>();
  }
  EXPECT_EQ(counted, 1000u);
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
