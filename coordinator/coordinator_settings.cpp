#include "coordinator/coordinator_settings.h"

#include <charconv>
#include <filesystem>

#include "common/core/file.h"
#include "common/data/toml_section.h"

namespace synod {
namespace {

constexpr std::int64_t kMaxThreads = 4096;

std::string InKit(const std::string& kit, const std::string& path) {
  if (path.empty() || path.front() == '/') return path;
  return kit + "/" + path;
}

}  // namespace

Status CheckAddress(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  const Error error = BadInput("\"" + address + "\" is no address", "write HOST:PORT, such as 0.0.0.0:7711");
  if (colon == std::string::npos || colon == 0) return error;
  unsigned port = 0;
  const char* end = address.data() + address.size();
  const auto [stopped, code] = std::from_chars(address.data() + colon + 1, end, port);
  if (code != std::errc() || stopped != end || port > 65535) return error;
  return {};
}

Result<CoordinatorSettings> CoordinatorSettings::FromToml(std::string_view text, const std::string& file,
                                                          const std::string& kit) {
  CoordinatorSettings settings;
  settings.kit = kit;
  SYNOD_ASSIGN_OR_RETURN(const TomlSection root, TomlSection::Parse(text, file));
  SYNOD_ASSIGN_OR_RETURN(const TomlSection listen, root.Section("listen"));
  SYNOD_ASSIGN_OR_RETURN(settings.address, listen.Text("address", settings.address));
  const Status address = CheckAddress(settings.address);
  if (!address.ok()) return listen.ErrorAt("address", address.error().message, address.error().hint);
  SYNOD_RETURN_IF_ERROR(listen.Finish());
  SYNOD_ASSIGN_OR_RETURN(const TomlSection compute, root.Section("compute"));
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t threads, compute.Integer("threads", 0, 0, kMaxThreads));
  settings.threads = static_cast<unsigned>(threads);
  SYNOD_ASSIGN_OR_RETURN(settings.device, compute.Text("device", settings.device));
  SYNOD_ASSIGN_OR_RETURN(settings.worker, compute.Text("worker", ""));
  settings.worker = InKit(kit, settings.worker);
  SYNOD_RETURN_IF_ERROR(compute.Finish());
  SYNOD_ASSIGN_OR_RETURN(const TomlSection log, root.Section("log"));
  SYNOD_ASSIGN_OR_RETURN(settings.log.file, log.Text("file", ""));
  settings.log.file = InKit(kit, settings.log.file);
  SYNOD_ASSIGN_OR_RETURN(const std::size_t level, log.Choice("level", 1, {"debug", "info", "warning", "error"}));
  settings.log.level = static_cast<LogLevel>(level);
  SYNOD_RETURN_IF_ERROR(log.Finish());
  SYNOD_RETURN_IF_ERROR(root.Finish());
  return settings;
}

Result<CoordinatorSettings> CoordinatorSettings::FromKit(const std::string& kit) {
  const std::string file = kit + "/local/coordinator.toml";
  if (!std::filesystem::exists(kit + "/trust")) {
    return BadInput(kit + " is no kit: it has no folder trust", "name the coordinator's kit with -c DIR");
  }
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return FromToml("", file, kit);
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, TomlSection::kMaxFileBytes));
  return FromToml(text, file, kit);
}

}  // namespace synod
