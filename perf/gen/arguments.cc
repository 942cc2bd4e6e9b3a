#include "perf/gen/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "controlplane/config/text.h"
#include "perf/gen/profile.h"

namespace warmswap::gen {
namespace {

using std::chrono::nanoseconds;

constexpr const char* kDefaultVip = "198.51.100.10";

std::optional<uint64_t> read_seed(const std::string& text) {
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return seed;
}

const StreamField& source_field() {
  return *std::ranges::find(stream_fields(), "source", &StreamField::key);
}

}  // namespace

void refuse(const std::string& sentence) {
  throw CLI::ValidationError(sentence);
}

CLI::Option* duration_option(CLI::App* app, const std::string& name, nanoseconds& out, nanoseconds least,
                             const std::string& help) {
  return app
      ->add_option_function<std::string>(
          name,
          [name, &out, least](const std::string& text) {
            const auto value = config::parse_duration(text);
            if (!value || *value < least) {
              refuse(fmt::format("{} {}: expected a duration from {} such as 500ms or 10s", name, text,
                                 config::format_duration(least)));
            }
            out = *value;
          },
          help)
      ->type_name("DURATION")
      ->default_str(config::format_duration(out));
}

CLI::Option* rate_option(CLI::App* app, const std::string& name, double& out, const std::string& help) {
  return app
      ->add_option_function<std::string>(
          name,
          [name, &out](const std::string& text) {
            const auto rate = parse_rate(text);
            if (!rate || std::isinf(*rate)) {
              refuse(fmt::format("{} {}: expected packets a second from 1 to 1G, such as 1Mpps", name, text));
            }
            out = *rate;
          },
          help)
      ->type_name("RATE");
}

CLI::Option* share_option(CLI::App* app, const std::string& name, double& out, const std::string& help) {
  return app
      ->add_option_function<std::string>(
          name,
          [name, &out](std::string text) {
            const std::string given = text;
            const bool percent = text.ends_with('%');
            if (percent) text.pop_back();
            const auto value = parse_amount(text);
            if (!value || *value > (percent ? 100 : 1)) {
              refuse(fmt::format("{} {}: expected a share such as 0.5% or 0.005", name, given));
            }
            out = percent ? *value / 100 : *value;
          },
          help)
      ->type_name("SHARE");
}

void TrafficArguments::add_to(CLI::App* app) {
  for (const StreamField& field : stream_fields()) {
    // These tell streams of a profile apart; one stream on the command line has no use for them.
    if (field.key == "name" || field.key == "weight" || field.key == "fixed_rate") continue;
    std::string name = "--" + std::string(field.key);
    std::ranges::replace(name, '_', '-');
    app->add_option_function<std::string>(
           name, [this, name, &field](const std::string& text) { read(name, field, text); }, std::string(field.help))
        ->type_name(std::string(field.placeholder))
        ->group("Traffic: one stream");
  }
  app->add_option("--profile", profile_, "TOML file that describes several streams instead")
      ->type_name("FILE")
      ->group("Traffic");
  app->add_option_function<std::string>(
         "--seed",
         [this](const std::string& text) {
           seed_ = read_seed(text);
           if (!seed_) refuse("--seed " + text + ": expected a number from 0 to 2^64 - 1");
         },
         "another seed gives other 5-tuples and another order (default 1)")
      ->type_name("N")
      ->group("Traffic");
  app->add_option("--syn-flood", flood_, "besides, SYNs from random addresses to the first stream's vips at this rate")
      ->type_name("RATE")
      ->group("Traffic");
  app->add_option("--flood-source", flood_sources_,
                  "where the flood seems to come from (default 198.18.0.0/15 or 2001:2::/48, kept free for benchmarks)")
      ->type_name("LIST")
      ->group("Traffic");
  app->add_option("--destination-mac", destination_mac_, "of the balancer's port (default 02:00:00:00:00:01)")
      ->type_name("MAC")
      ->group("Traffic");
  app->add_option("--source-mac", source_mac_, "when left out, that of the transmitting port")
      ->type_name("MAC")
      ->group("Traffic");
}

TrafficConfig TrafficArguments::finish(double& rate, bool rate_given) const {
  TrafficConfig traffic;
  if (!profile_.empty()) {
    if (!given_.empty()) refuse(fmt::format("{}: a profile describes its streams itself; leave it out", given_));
    auto profile = read_profile(profile_);
    if (!profile) refuse(profile.error());
    traffic.streams = std::move(profile->streams);
    traffic.seed = profile->seed.value_or(traffic.seed);
    if (profile->rate && !rate_given) rate = *profile->rate;
  } else {
    StreamConfig stream = stream_;
    if (stream.vips.empty()) stream.vips = {*parse_ip(kDefaultVip)};
    if (const auto sentence = contradiction(stream)) refuse(*sentence);
    traffic.streams.push_back(std::move(stream));
  }
  if (seed_) traffic.seed = *seed_;
  if (!flood_.empty()) {
    const auto flood_rate = parse_rate(flood_);
    if (!flood_rate || std::isinf(*flood_rate)) refuse("--syn-flood " + flood_ + ": expected a rate such as 100kpps");
    StreamConfig flood = syn_flood(traffic.streams.front(), *flood_rate);
    if (!flood_sources_.empty() && !source_field().read(flood_sources_, flood)) {
      refuse(fmt::format("--flood-source {}: expected {}", flood_sources_, source_field().expected));
    }
    traffic.streams.push_back(std::move(flood));
  } else if (!flood_sources_.empty()) {
    refuse("--flood-source: there is no flood without --syn-flood");
  }
  read_macs(traffic);
  return traffic;
}

std::string TrafficArguments::given() const {
  if (!given_.empty()) return given_;
  if (!profile_.empty()) return "--profile";
  if (!flood_.empty()) return "--syn-flood";
  return seed_ ? "--seed" : "";
}

void TrafficArguments::read(const std::string& name, const StreamField& field, const std::string& text) {
  given_ = name;
  if (!field.read(text, stream_)) {
    refuse(fmt::format("{} {}: expected {}", name, config::quote(text), field.expected));
  }
}

void TrafficArguments::read_macs(TrafficConfig& traffic) const {
  const auto read = [](const std::string& name, const std::string& text) {
    const auto mac = parse_mac(text);
    if (!mac || ((*mac)[0] & 1) != 0) {
      refuse(fmt::format("{} {}: expected a unicast MAC such as 02:00:00:00:00:01", name, text));
    }
    return *mac;
  };
  if (!destination_mac_.empty()) traffic.destination_mac = read("--destination-mac", destination_mac_);
  if (!source_mac_.empty()) traffic.source_mac = read("--source-mac", source_mac_);
}

}  // namespace warmswap::gen
