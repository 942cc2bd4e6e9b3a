#include "controlplane/cli/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <vector>

#include "controlplane/api/protocol.h"
#include "controlplane/cli/changes.h"
#include "controlplane/cli/events.h"
#include "controlplane/cli/save.h"
#include "controlplane/cli/session.h"
#include "controlplane/cli/views.h"

namespace warmswap::cli {

namespace {

using Action = std::function<void(const Session&)>;

constexpr const char* kDescription = "Shows and changes a running warmswap load balancer through its control socket.";

constexpr const char* kExamples = R"(Backends are named POOL/BACKEND, or just BACKEND when only one pool has it.

Examples:
  warmswapctl status                        who serves, who stands in, what is wrong
  warmswapctl backends --pool web           states, last probes and traffic of one pool
  warmswapctl failover web/web2 --to spare1 put a standby into a seat by hand
  warmswapctl failover --domain rack-a      empty a rack before the electrician comes
  warmswapctl drill web/web2 --for 1m       prove that the standby can, and come back
  warmswapctl drain web/web1 --for 10m      lead it out before maintenance
  warmswapctl weight web/web1 50            half the default share
  warmswapctl plan weight web/web1 50       what that would move and load, without doing it
  warmswapctl save                          put what was changed at run time into the file
  warmswapctl apply changes.json            many changes at once, all or none
  warmswapctl apply changes.json --confirm-within 2m   and undo them unless `warmswapctl confirm` follows
  warmswapctl events --follow               watch failovers with their timelines
  warmswapctl explain 203.0.113.7:40000 198.51.100.10:80
  warmswapctl status --json | jq '.pools[].seats'

Exit codes: 0 done, 1 refused by the control plane, 2 wrong usage, 3 control plane not reached.
Environment: WARMSWAP_SOCKET, WARMSWAP_INSTANCE as --socket and --instance; NO_COLOR.)";

constexpr const char* kApplyExample = R"(The list applies wholly or not at all. Example:
  echo '[{"op": "weight", "pool": "web", "backend": "web1", "weight": 50},
         {"op": "disable", "pool": "web", "backend": "web2"}]' | warmswapctl apply -)";

constexpr const char* kDrillExample =
    R"(The control plane ends the drill, also if this command is interrupted. The report names the two switches, what the
standby served meanwhile and what its probes said. Example:
  warmswapctl drill web/web1 --for 1m)";

constexpr const char* kAddExample = R"(Examples:
  warmswapctl add web/web4 192.0.2.14
  warmswapctl add web/spare2 192.0.2.22 --role warm --domain rack2
  warmswapctl add web/web5 192.0.2.15 --weight 50 --probe-path /ready --probe-interval 100ms)";

struct GlobalOptions {
  std::string socket;
  std::string instance;
  double timeout_s = 5;
  bool json = false;
  bool dry_run = false;
  bool force = false;
  std::string confirm_within;
};

/// As fields of a request.
boost::json::object change_options(const GlobalOptions& options) {
  boost::json::object fields;
  if (options.dry_run) fields[api::field::kDryRun] = true;
  if (options.force) fields[api::field::kForce] = true;
  if (!options.confirm_within.empty()) fields[api::field::kConfirmWithin] = options.confirm_within;
  return fields;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// What the command line says outweighs the environment, and a path an instance.
std::string socket_path(const GlobalOptions& options) {
  if (!options.socket.empty()) return options.socket;
  std::string instance = options.instance;
  if (instance.empty()) {
    if (std::string path = environment("WARMSWAP_SOCKET"); !path.empty()) return path;
    instance = environment("WARMSWAP_INSTANCE");
  }
  if (instance.empty()) instance = api::kDefaultInstance;
  return fmt::format("{}/{}.sock", api::kDefaultRunDir, instance);
}

void add_global_options(CLI::App& app, GlobalOptions& options) {
  app.add_option("--socket", options.socket, "Path of the control socket")->type_name("PATH");
  app.add_option("--instance", options.instance, "Instance, whose socket is /run/warmswap/NAME.sock [warmswap]")
      ->type_name("NAME");
  app.add_flag("--json", options.json, "Print the control plane's answer as JSON");
  app.add_option("--timeout", options.timeout_s, "Longest wait for an answer, in seconds [5]")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 3600.0));
  const char* changes = "For commands that change something";
  app.add_flag("--dry-run", options.dry_run, "Show the plan, change nothing; `warmswapctl plan …` is the same")
      ->group(changes);
  app.add_flag("--force", options.force, "Also beyond the pool's limits")->group(changes);
  app.add_option("--confirm-within", options.confirm_within, "Undo it unless `warmswapctl confirm` comes in time")
      ->type_name("DURATION")
      ->group(changes);
  app.set_version_flag("--version", "warmswapctl " WARMSWAP_VERSION, "Print the client's version");
}

/// The commands and the arguments they parse into; the chosen one leaves its action.
class Commands {
 public:
  explicit Commands(CLI::App& app) : app_(app) {
    add_views();
    add_events();
    add_simple_changes();
    add_other_changes();
    add_add();
  }

  const Action& chosen() const noexcept { return chosen_; }

 private:
  CLI::App* command(const std::string& name, const std::string& help, Action action) {
    CLI::App* sub = app_.add_subcommand(name, help);
    sub->fallthrough();
    sub->callback([this, action = std::move(action)] { chosen_ = action; });
    return sub;
  }

  void add_views() {
    command("status", "Overview: processes, pools with their seats, warnings", show_status);
    command("vips", "Virtual services and their traffic", show_vips);
    command("pools", "Pools in short", show_pools);
    CLI::App* backends = command("backends", "Backends with state, probe, share and traffic",
                                 [this](const Session& session) { show_backends(session, pool_); });
    backends->add_option("--pool", pool_, "Only those of one pool")->type_name("POOL");
    CLI::App* explain = command("explain", "Where one flow goes, and why", [this](const Session& session) {
      show_explanation(session, source_, destination_, udp_);
    });
    explain->add_option("source", source_, "Client, as ADDRESS:PORT")->required();
    explain->add_option("destination", destination_, "Vip, as ADDRESS:PORT")->required();
    explain->add_flag("--udp", udp_, "A UDP flow instead of TCP");
    CLI::App* drops = command("drops", "Dropped packets by reason, and what each reason means",
                              [this](const Session& session) { show_drops(session, all_); });
    drops->add_flag("--all", all_, "Also the reasons that never happened");
    command("version", "Versions of this program and of the control plane", show_version);
    command("metrics", "Metrics in the Prometheus text format", show_metrics);
  }

  void add_events() {
    CLI::App* events = command("events", "What happened, with the timeline of each failover",
                               [this](const Session& session) { show_events(session, events_); });
    events->add_option("--since", events_.since, "Only events after this sequence number")->type_name("SEQ");
    events->add_option("--limit", events_.limit, "At most so many [100]")->type_name("N")->check(CLI::Range(1, 1000));
    events->add_flag("--follow,-f", events_.follow, "Go on and print events as they happen");
  }

  void add_simple_changes() {
    const std::pair<std::string_view, const char*> changes[] = {
        {api::operation::kRemove, "Take a backend out of its pool"},
        {api::operation::kEnable, "Let a disabled backend serve again"},
        {api::operation::kDisable, "Keep a backend from serving"},
    };
    for (const auto& [op, help] : changes) {
      CLI::App* sub = command(std::string(op), help,
                              [this, name = op](const Session& session) { change_simply(session, name, backend_); });
      add_backend_argument(sub);
    }
  }

  void add_other_changes() {
    CLI::App* weight = command("weight", "Set a backend's weight",
                               [this](const Session& session) { change_weight(session, backend_, weight_); });
    add_backend_argument(weight);
    weight->add_option("weight", weight_, "0 to 65535; 0 owns no slot")->required()->check(CLI::Range(0, 65535));
    CLI::App* drain =
        command("drain", "Lead a backend out: it hands its seats over little by little, and is disabled then",
                [this](const Session& session) { change_drain(session, backend_, drain_length_); });
    add_backend_argument(drain);
    drain->add_option("--for", drain_length_, "Until it is out, such as 5m [1m]")->type_name("DURATION");
    drain->footer("`warmswapctl enable` calls it off. Example:\n  warmswapctl drain web/web1 --for 10m");
    add_maneuvers();
    CLI::App* apply = command("apply", "Apply a list of changes, all or none",
                              [this](const Session& session) { change_apply(session, file_); });
    apply->add_option("file", file_, "JSON file, or - for standard input")->required();
    apply->footer(kApplyExample);
    command("reload", "Read the configuration file again", reload);
    CLI::App* keep = command("save", "Write what was changed at run time into the configuration file",
                             [this](const Session& session) { save(session, {.print = print_, .drop_in = drop_in_}); });
    keep->add_flag("--drop-in", drop_in_,
                   "Write a file of its own beside it, FILE.d/90-saved.toml, and leave it as it is");
    keep->add_flag("--print", print_, "Show what the file would hold, and write nothing");
    keep->footer("Comments and layout stay. The file is written with the rights of whoever runs this.");
    command("confirm", "Make the change that waits for it permanent", confirm);
    command("rollback", "Undo the change that waits for its confirmation", rollback);
  }

  void add_maneuvers() {
    CLI::App* failover = command("failover", "Take a backend's seat away from it, or all seats of a failure domain",
                                 [this](const Session& session) {
                                   if (backend_.empty() == domain_.empty()) {
                                     throw Failure(kExitUsage, "expected a backend, or --domain and a failure domain");
                                   }
                                   if (!domain_.empty()) return change_failover_domain(session, domain_, pool_);
                                   change_failover(session, backend_, standby_);
                                 });
    auto* name = failover->add_option("backend", backend_, "POOL/BACKEND, or BACKEND alone when only one pool has it");
    failover->add_option("--to", standby_, "The warm backend that shall take it")->type_name("STANDBY")->needs(name);
    auto* domain = failover->add_option("--domain", domain_, "Every seat held in this failure domain, all or none");
    failover->add_option("--pool", pool_, "With --domain: in this pool only")->type_name("POOL")->needs(domain);
    CLI::App* failback = command("failback", "Give a seat back to its owner, by the pool's steps",
                                 [this](const Session& session) { change_failback(session, backend_, whole_); });
    add_backend_argument(failback);
    failback->add_flag("--whole", whole_, "All of the seat at once");
    CLI::App* swap = command("swap", "Let a backend and a standby change places, or two standbys",
                             [this](const Session& session) { change_swap(session, backend_, with_); });
    add_backend_argument(swap);
    swap->add_option("with", with_, "The other one, of the same pool")->required();
    CLI::App* exercise = command("drill", "Fail over on purpose, come back, and report",
                                 [this](const Session& session) { drill(session, backend_, standby_, length_); });
    add_backend_argument(exercise);
    exercise->add_option("--to", standby_, "The warm backend that shall take the seat")->type_name("STANDBY");
    exercise->add_option("--for", length_, "How long the standby serves, such as 30s [30s]")->type_name("DURATION");
    exercise->footer(kDrillExample);
  }

  void add_add() {
    CLI::App* add =
        command("add", "Add a backend to a pool", [this](const Session& session) { change_add(session, add_); });
    add->add_option("backend", add_.backend, "POOL/BACKEND")->required();
    add->add_option("address", add_.address, "Its IPv4 address")->required();
    add->add_option("--role", add_.role, "hot or warm [hot]")->check(CLI::IsMember({"hot", "warm"}));
    add->add_option("--weight", add_.weight, "0 to 65535 [100]")->check(CLI::Range(0, 65535));
    add->add_option("--capacity", add_.capacity,
                    "The most it may carry, in the unit of weight; 0 = no limit, or one seat");
    add->add_option("--domain", add_.domain, "Failure domain")->type_name("NAME");
    add->add_option("--standby", add_.standby, "The warm backend to prefer for its seat")->type_name("BACKEND");
    add->add_flag("--disabled", add_.disabled, "Add it without letting it serve");
    constexpr const char* kProbeGroup = "Probe, where it differs from the pool's";
    ProbeArguments& probe = add_.probe;
    const auto option = [&](const char* name, auto& target, const char* help) {
      return add->add_option(name, target, help)->group(kProbeGroup);
    };
    const std::vector<std::string> kinds(api::kProbeKinds.begin(), api::kProbeKinds.end());
    option("--probe-kind", probe.kind, "How it is asked")->check(CLI::IsMember(kinds));
    option("--probe-port", probe.port, "Port; 0 is that of the vip");
    option("--probe-interval", probe.interval, "Such as 100ms");
    option("--probe-timeout", probe.timeout, "Such as 50ms");
    option("--probe-jitter", probe.jitter, "Percent of the interval");
    option("--probe-fall", probe.fall, "Failures in a row that make it failed");
    option("--probe-rise", probe.rise, "Successes in a row that make it serve again");
    option("--probe-path", probe.path, "HTTP path");
    option("--probe-host", probe.host, "HTTP Host header, and the name asked for over TLS (SNI)");
    CLI::Option* tls =
        add->add_flag("--probe-tls", probe.tls, "Over TLS, for the kinds tcp and grpc")->group(kProbeGroup);
    add->add_flag("--no-probe-tls", probe.no_tls, "Not over TLS")->group(kProbeGroup)->excludes(tls);
    option("--probe-payload", probe.payload, "What a UDP or TCP probe sends, text or hex:…");
    option("--probe-expect", probe.expect, "What the answer, or the body of an HTTP response, must contain");
    option("--probe-service", probe.service, "gRPC service whose health is asked for");
    option("--probe-via", probe.via, "direct, or tunnel: the clients' way")->check(CLI::IsMember({"direct", "tunnel"}));
    option("--probe-status", probe.expect_status, "HTTP status codes that count as success")->delimiter(',');
    add->footer(kAddExample);
  }

  void add_backend_argument(CLI::App* sub) {
    sub->add_option("backend", backend_, "POOL/BACKEND, or BACKEND alone when only one pool has it")->required();
  }

  CLI::App& app_;
  Action chosen_;
  std::string pool_;
  std::string source_;
  std::string destination_;
  bool udp_ = false;
  bool all_ = false;
  EventsOptions events_;
  std::string backend_;
  uint32_t weight_ = 0;
  std::string standby_;
  std::string domain_;
  std::string with_;
  std::string length_ = "30s";
  std::string drain_length_ = "1m";
  bool print_ = false;
  bool drop_in_ = false;
  bool whole_ = false;
  std::string file_;
  AddArguments add_;
};

/// `warmswapctl plan weight …` is `warmswapctl --dry-run weight …`: takes the word out where a command is due.
bool take_plan(std::vector<const char*>& words) {
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--socket" || word == "--instance" || word == "--timeout" || word == "--confirm-within") ++i;
    if (word.starts_with('-')) continue;
    if (word != "plan") return false;
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
    return true;
  }
  return false;
}

}  // namespace

int run(int argc, const char* const* argv, Terminal terminal) {
  CLI::App app(kDescription, "warmswapctl");
  GlobalOptions options;
  add_global_options(app, options);
  app.require_subcommand(1);
  app.footer(kExamples);
  const Commands commands(app);
  std::vector<const char*> words(argv, argv + argc);
  if (take_plan(words)) options.dry_run = true;
  try {
    app.parse(static_cast<int>(words.size()), words.data());
  } catch (const CLI::ParseError& fault) {
    return app.exit(fault, terminal.out, terminal.err) == 0 ? kExitOk : kExitUsage;
  }
  const std::chrono::duration<double> timeout(options.timeout_s);
  const Client client(socket_path(options), std::chrono::ceil<std::chrono::milliseconds>(timeout));
  try {
    commands.chosen()(Session(terminal, client, options.json, change_options(options)));
  } catch (const Failure& failure) {
    terminal.err << "warmswapctl: " << failure.what() << '\n';
    return failure.exit_code();
  }
  return kExitOk;
}

}  // namespace warmswap::cli
