// The commands that change something. Each sends one request, which applies wholly or not at all, and prints what
// became of it. They throw Failure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/cli/session.h"

namespace warmswap::cli {

/// remove, enable, disable, failback. `backend` is POOL/BACKEND, or BACKEND when only one pool has it.
void change_simply(const Session& session, std::string_view op, const std::string& backend);
void change_weight(const Session& session, const std::string& backend, uint32_t weight);
/// `to` may be empty: the control plane chooses the standby.
void change_failover(const Session& session, const std::string& backend, const std::string& to);

/// What is absent or empty is left to the control plane.
struct ProbeArguments {
  std::string kind;
  std::optional<uint32_t> port;
  std::string interval;
  std::string timeout;
  std::optional<uint32_t> jitter;
  std::optional<uint32_t> fall;
  std::optional<uint32_t> rise;
  std::string path;
  std::string host;
  std::vector<uint32_t> expect_status;
};

struct AddArguments {
  std::string backend;  // POOL/BACKEND
  std::string address;
  std::string role;
  std::optional<uint32_t> weight;
  std::string domain;
  std::string standby;
  bool disabled = false;
  ProbeArguments probe;
};
void change_add(const Session& session, const AddArguments& arguments);

/// A file, or - for standard input: a JSON list of changes, or an object {"changes": […]}.
void change_apply(const Session& session, const std::string& file);
void reload(const Session& session);

}  // namespace warmswap::cli
