// The commands that change something. Each sends one request, which applies wholly or not at all, and prints what
// became of it. They throw Failure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/cli/session.h"

namespace warmswap::cli {

struct Name {
  std::string pool;
  std::string backend;
};
/// Reads POOL/BACKEND, or finds the pool of a backend named alone.
Name resolve(const Session& session, const std::string& text);
/// {"op": op, "pool": …, "backend": …}
boost::json::object change_object(std::string_view op, const Name& name);

/// remove, enable, disable. `backend` is POOL/BACKEND, or BACKEND when only one pool has it.
void change_simply(const Session& session, std::string_view op, const std::string& backend);
void change_weight(const Session& session, const std::string& backend, uint32_t weight);
/// `to` may be empty: the control plane chooses the standby.
void change_failover(const Session& session, const std::string& backend, const std::string& to);
/// Every seat held in the failure domain, in one pool, or in all when `pool` is empty: all or none.
void change_failover_domain(const Session& session, const std::string& domain, const std::string& pool);
/// `whole`: not by the pool's steps.
void change_failback(const Session& session, const std::string& backend, bool whole);
void change_swap(const Session& session, const std::string& backend, const std::string& with);
/// Fails over, waits `length` until the owner is back, and prints what happened.
void drill(const Session& session, const std::string& backend, const std::string& to, const std::string& length);

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
  bool tls = false;
  bool no_tls = false;  // although the pool's probe goes over it
  std::string payload;
  std::string service;
  std::string via;
  std::string expect;
  std::vector<uint32_t> expect_status;
};

struct AddArguments {
  std::string backend;  // POOL/BACKEND
  std::string address;
  std::string role;
  std::optional<uint32_t> weight;
  std::optional<uint32_t> capacity;
  std::string domain;
  std::string standby;
  bool disabled = false;
  ProbeArguments probe;
};
/// Hands its seats over until the deadline; `length` such as "5m".
void change_drain(const Session& session, const std::string& backend, const std::string& length);
void change_add(const Session& session, const AddArguments& arguments);

/// A file, or - for standard input: a JSON list of changes, or an object {"changes": […]}.
void change_apply(const Session& session, const std::string& file);
void reload(const Session& session);
/// Makes the change that waits permanent, or undoes it.
void confirm(const Session& session);
void rollback(const Session& session);

}  // namespace warmswap::cli
