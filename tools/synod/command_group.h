// Groups of commands: `synod run ...`, `synod site ...`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace synod {

// The group of this name, made when it is first asked for.
inline CLI::App& CommandGroup(CLI::App& app, const std::string& name, const std::string& description) {
  const auto known = app.get_subcommands([&](const CLI::App* group) { return group->get_name() == name; });
  if (!known.empty()) return *known.front();
  CLI::App* group = app.add_subcommand(name, description);
  group->require_subcommand(1);
  group->fallthrough();
  return *group;
}

}  // namespace synod
