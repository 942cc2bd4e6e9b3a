#include "perf/gen/options.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

namespace warmswap::gen {
namespace {

std::variant<Options, Exit> parse(const std::string& line) {
  std::istringstream words("warmswap-gen " + line);
  std::vector<std::string> arguments;
  for (std::string word; words >> word;) arguments.push_back(word);
  std::vector<const char*> argv;
  argv.reserve(arguments.size());
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_options(static_cast<int>(argv.size()), argv.data());
}
Options good(const std::string& line) {
  auto parsed = parse(line);
  const Exit* exit = std::get_if<Exit>(&parsed);
  EXPECT_EQ(exit, nullptr) << exit->text;
  return exit != nullptr ? Options{} : std::get<Options>(parsed);
}
std::string refusal(const std::string& line) {
  auto parsed = parse(line);
  const Exit* exit = std::get_if<Exit>(&parsed);
  if (exit == nullptr) return "accepted";
  EXPECT_EQ(exit->code, 2) << line;
  return exit->text;
}

TEST(Options, RunWithOneDevice) {
  const Options options = good("run --vdev net_ring0 --rate 2.5Mpps --duration 500ms --no-huge --cores 3");
  EXPECT_EQ(options.command, Command::run);
  EXPECT_EQ(options.engine.devices, (std::vector<Device>{{"net_ring0", false}}));
  EXPECT_EQ(options.run.transmit, 0u);
  EXPECT_EQ(options.run.receive, 0u);
  EXPECT_DOUBLE_EQ(options.run.rate, 2.5e6);
  EXPECT_EQ(options.run.duration, std::chrono::milliseconds(500));
  EXPECT_EQ(options.engine.hugepages, io::Hugepages::off);
  EXPECT_EQ(options.engine.cores, (std::vector<uint32_t>{3}));
  EXPECT_EQ(format_ip(options.traffic.streams[0].vips[0]), "198.51.100.10");
}

TEST(Options, TheFirstDeviceTransmitsWhateverItsKind) {
  const Options options =
      good("run --pci 0000:03:00.0 --vdev net_null0,size=64 --cores 1,2 --destination-mac 02:00:00:00:00:07");
  EXPECT_EQ(options.engine.devices, (std::vector<Device>{{"0000:03:00.0", true}, {"net_null0,size=64", false}}));
  EXPECT_EQ(options.run.receive, 1u);
  const Options other = good("run --vdev a0 --vdev b0");
  EXPECT_EQ(other.engine.devices, (std::vector<Device>{{"a0", false}, {"b0", false}}));
}

TEST(Options, ANicIsToldWhereToSend) {
  for (const std::string command : {"run", "search"}) {
    EXPECT_EQ(refusal(command + " --pci 0000:03:00.0"),
              "warmswap-gen: --pci 0000:03:00.0: needs --destination-mac, the MAC of the balancer's port\n");
    EXPECT_EQ(refusal(command + " --vdev net_null0 --pci 0000:03:00.0"), "accepted") << "which only receives";
  }
  EXPECT_EQ(refusal("run --pci 0000:03:00.0 --replay f.pcap"), "accepted") << "a capture has addresses of its own";
  const Options replay = good("run --vdev net_ring0 --replay f.pcap --destination-mac 02:00:00:00:00:07");
  EXPECT_EQ(replay.replay_to, (contract::MacAddress{2, 0, 0, 0, 0, 7}));
  EXPECT_FALSE(good("run --vdev net_ring0 --replay f.pcap").replay_to);
}

TEST(Options, OutputsMustBeTwoFiles) {
  EXPECT_EQ(refusal("run --vdev net_ring0 --json a/./r --html a/r"),
            "warmswap-gen: --json and --html: both to a/./r, expected two files\n");
  EXPECT_NE(refusal("run --vdev net_ring0 --json - --html -").find("expected two files"), std::string::npos);
  EXPECT_EQ(refusal("run --vdev net_ring0 --html -"), "accepted");
  const char* argv[] = {"warmswap-gen", "run", "--vdev", "net_ring0", "--json", ""};
  const auto empty = parse_options(6, argv);
  ASSERT_TRUE(std::holds_alternative<Exit>(empty));
  EXPECT_EQ(std::get<Exit>(empty).text,
            "warmswap-gen: --json: expected the name of a file, or - for standard output\n");
}

TEST(Options, ASelfTestKeepsTheSharesOfFixedRates) {
  const Options options = good("self-test --syn-flood 250kpps");
  ASSERT_EQ(options.traffic.streams.size(), 2u);
  EXPECT_FALSE(options.traffic.streams[1].fixed_rate);
  EXPECT_DOUBLE_EQ(options.traffic.streams[0].weight / options.traffic.streams[1].weight, 4) << "of 1 Mpps";
}

TEST(Options, AFloodComesFromWhereNobodyIs) {
  const auto sources = [](const std::string& more) {
    const Options options = good("run --vdev net_ring0 --syn-flood 1kpps" + more);
    std::vector<std::string> out;
    for (const AddressPrefix& source : options.traffic.streams[1].sources) out.push_back(format_address_prefix(source));
    return out;
  };
  EXPECT_EQ(sources(""), std::vector<std::string>{"198.18.0.0/15"});
  EXPECT_EQ(sources(" --vip 2001:db8::1"), std::vector<std::string>{"2001:2::/48"});
  EXPECT_EQ(sources(" --flood-source 32.0.0.0/3,64.0.0.0/3"), (std::vector<std::string>{"32.0.0.0/3", "64.0.0.0/3"}));
  EXPECT_NE(refusal("run --vdev net_ring0 --flood-source 10.0.0.0/8").find("no flood"), std::string::npos);
}

TEST(Options, TrafficByOptions) {
  const Options options = good(
      "write-pcap f.pcap --count 10 --vip 2001:db8::1 --protocol udp --flows 1M --choice zipf:1.1 --size imix --seed 9 "
      "--syn-flood 10kpps --destination-mac 02:11:22:33:44:55 --source-port 2000-3000");
  ASSERT_EQ(options.traffic.streams.size(), 2u);
  EXPECT_TRUE(options.traffic.streams[0].v6());
  EXPECT_EQ(options.traffic.streams[0].sizes.size(), 3u);
  EXPECT_EQ(options.traffic.streams[0].source_ports, (PortRange{2000, 3000}));
  EXPECT_EQ(options.traffic.streams[1].choice, Choice::fresh);
  EXPECT_EQ(options.traffic.seed, 9u);
  EXPECT_EQ(format_mac(options.traffic.destination_mac), "02:11:22:33:44:55");
  EXPECT_EQ(options.count, 10u);
}

TEST(Options, ReplayAndRates) {
  EXPECT_TRUE(std::isinf(good("run --vdev a0 --rate max").run.rate));
  const Options replay = good("run --vdev a0 --replay f.pcap --rate capture");
  EXPECT_TRUE(replay.replay_own_times);
  EXPECT_TRUE(replay.run.replay);
  EXPECT_TRUE(replay.traffic.streams.empty());
  EXPECT_DOUBLE_EQ(good("run --vdev a0 --max-loss 0.5%").limits.loss, 0.005);
  EXPECT_DOUBLE_EQ(good("run --vdev a0 --max-loss 0.25").limits.loss, 0.25);
}

TEST(Options, RefusalsAreOneSentence) {
  EXPECT_EQ(refusal("run"),
            "warmswap-gen: no device: name the transmitting and the receiving one with --vdev or --pci, or "
            "one that does both\n");
  EXPECT_EQ(refusal("run --vdev a0 --rate fast"),
            "warmswap-gen: --rate \"fast\": expected packets a second such as 1Mpps, or max\n");
  EXPECT_EQ(refusal("run --vdev a0 --flows none"),
            "warmswap-gen: --flows \"none\": expected a whole number from 1 to 200M, such as 1000 or 1M\n");
  EXPECT_EQ(refusal("run --vdev a0 --duration 5"),
            "warmswap-gen: --duration 5: expected a duration from 10ms such as 500ms or 10s\n");
  EXPECT_EQ(refusal("run --vdev a0 --vdev b0 --vdev c0"),
            "warmswap-gen: 3 devices, expected one or two: the first transmits, the second receives\n");
  EXPECT_EQ(refusal("run --vdev a0 --cores 1,1"), "warmswap-gen: --cores: CPU 1 is named twice\n");
  EXPECT_EQ(refusal("run --vdev a0 --rate capture"), "warmswap-gen: --rate capture: only with --replay\n");
  EXPECT_EQ(refusal("run --vdev a0 --rate max --syn-flood 1k"),
            "warmswap-gen: stream syn-flood has a fixed rate, which means nothing beside streams without a limit\n");
  EXPECT_EQ(refusal("run --vdev a0 --destination-mac 01:00:5e:00:00:01"),
            "warmswap-gen: --destination-mac 01:00:5e:00:00:01: expected a unicast MAC such as 02:00:00:00:00:01\n");
  EXPECT_EQ(refusal("run --vdev a0 --seed -1"), "warmswap-gen: --seed -1: expected a number from 0 to 2^64 - 1\n");
  EXPECT_EQ(refusal("run --vdev a0 --no-huge --huge required"), "warmswap-gen: --huge excludes --no-huge\n");
  EXPECT_EQ(refusal("run --vdev a0 --replay f.pcap --seed 3"),
            "warmswap-gen: --seed: describes streams, but --replay sends a capture instead\n");
  EXPECT_EQ(refusal("search --vdev a0 --min-rate 5M --max-rate 1M"),
            "warmswap-gen: --max-rate: expected more than --min-rate\n");
  EXPECT_NE(refusal("run --vdev a0 --profile /nonexistent.toml").find("/nonexistent.toml"), std::string::npos);
  EXPECT_EQ(refusal("run --vdev a0 --profile p.toml --flows 5"),
            "warmswap-gen: --flows: a profile describes its streams itself; leave it out\n");
  EXPECT_NE(refusal("fly").find("warmswap-gen:"), std::string::npos);
  EXPECT_NE(refusal("").find("subcommand"), std::string::npos);
}

TEST(Options, HelpAndVersionAreNoErrors) {
  for (const char* line : {"--help", "--version", "run --help", "search --help", "check --help", "report --help"}) {
    auto parsed = parse(line);
    ASSERT_TRUE(std::holds_alternative<Exit>(parsed)) << line;
    EXPECT_EQ(std::get<Exit>(parsed).code, 0);
    EXPECT_FALSE(std::get<Exit>(parsed).text.empty());
  }
}

}  // namespace
}  // namespace warmswap::gen
