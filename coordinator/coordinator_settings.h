// What the operator of a coordinator may set: KIT/local/coordinator.toml, strict.
//
//   [listen]   address = "0.0.0.0:7711"
//   [compute]  threads = 0 (all cores), device = "auto", worker = "" (the program beside this one)
//   [log]      file = "" (standard error), level = "info"
//
// Paths are relative to the kit. A file that is missing means all defaults.
#pragma once

#include <string>

#include "common/core/result.h"
#include "common/log/event_log.h"

namespace synod {

struct CoordinatorSettings {
  std::string kit;  // folder
  std::string address = "0.0.0.0:7711";
  unsigned threads = 0;
  std::string device = "auto";
  std::string worker;  // program; empty: beside this one
  EventLog::Settings log;

  static Result<CoordinatorSettings> FromKit(const std::string& kit);
  static Result<CoordinatorSettings> FromToml(std::string_view text, const std::string& file, const std::string& kit);

  std::string trust_folder() const { return kit + "/trust"; }
  std::string state_folder() const { return kit + "/state"; }
  std::string published_folder() const { return state_folder() + "/published"; }
  std::string published_file(const std::string& run) const { return published_folder() + "/" + run + ".synod"; }
  std::string database_file() const { return state_folder() + "/coordinator.db"; }
};

// HOST:PORT with a port from 0 to 65535.
Status CheckAddress(const std::string& address);

}  // namespace synod
