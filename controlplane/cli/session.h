// What every command works with: the client, the streams, and how a failure ends the command.
#pragma once

#include <boost/json/object.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "controlplane/cli/cli.h"
#include "controlplane/cli/client.h"

namespace warmswap::cli {

/// Ends a command: run() prints the sentence and returns the code.
class Failure : public std::runtime_error {
 public:
  Failure(int exit_code, const std::string& sentence) : std::runtime_error(sentence), exit_code_(exit_code) {}
  int exit_code() const noexcept { return exit_code_; }

 private:
  int exit_code_;
};

class Session {
 public:
  Session(Terminal terminal, Client client, bool json, boost::json::object change_options = {})
      : terminal_(terminal), client_(std::move(client)), json_(json), change_options_(std::move(change_options)) {}

  /// The body of a successful answer. Throws Failure for a refusal or no answer.
  std::string get(std::string_view target) const;
  std::string post(std::string_view target, std::string_view body) const;

  std::istream& in() const { return terminal_.in; }
  std::ostream& out() const { return terminal_.out; }
  std::ostream& err() const { return terminal_.err; }
  bool colour() const noexcept { return terminal_.colour; }
  bool json() const noexcept { return json_; }
  const Client& client() const noexcept { return client_; }
  /// What goes beside the changes of a request: dry_run, force, confirm_within.
  const boost::json::object& change_options() const noexcept { return change_options_; }

 private:
  Terminal terminal_;
  Client client_;
  bool json_;
  boost::json::object change_options_;
};

/// The answer as an object. Throws Failure when it is not JSON.
boost::json::object parse_answer(const std::string& body);

}  // namespace warmswap::cli
