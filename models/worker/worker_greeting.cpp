#include "models/worker/worker_greeting.h"

#include "common/core/version.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

constexpr std::size_t kMaxBytes = 4096;
constexpr std::uint64_t kMostProcessId = std::uint64_t{1} << 31;

}  // namespace

std::string WorkerGreeting(std::int64_t process_id) {
  return Json{
      {"type", "synod-worker"}, {"version", kVersion}, {"protocol", kWorkerProtocol}, {"process_id", process_id}}
      .dump();
}

Status CheckWorkerGreeting(std::string_view text, std::int64_t process_id) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseJson(text, kMaxBytes, 2));
  SYNOD_ASSIGN_OR_RETURN(const StrictObject greeting,
                         StrictObject::Of(json, "a worker's greeting", {"type", "version", "protocol", "process_id"}));
  SYNOD_ASSIGN_OR_RETURN(const std::string type, greeting.Text("type", 64));
  SYNOD_ASSIGN_OR_RETURN(const std::string version, greeting.Text("version", 64));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t protocol, greeting.Unsigned("protocol", 0, 0xffffffffU));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t process, greeting.Unsigned("process_id", 0, kMostProcessId));
  if (type != "synod-worker") return greeting.Wrong("type", "is not that of a worker");
  if (version != kVersion || protocol != kWorkerProtocol) {
    return Refused("the worker is of another version than this program", "install both from the same package");
  }
  if (process != static_cast<std::uint64_t>(process_id)) return greeting.Wrong("process_id", "is not the child's");
  return {};
}

}  // namespace synod
