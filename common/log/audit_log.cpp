#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/core/file.h"
#include "common/core/hex.h"
#include "common/crypto/sha256.h"
#include "common/log/event_log.h"

namespace synod {
namespace {

constexpr std::string_view kLabel = "synod.audit";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;
constexpr std::size_t kMaxLineBytes = 1u << 20;

Error SystemError(std::string_view doing, const std::string& file) {
  const int code = errno;
  const bool full = code == ENOSPC || code == EDQUOT;
  return Failed(fmt::format("cannot {} the audit log {}: {}", doing, file, full ? "disk full" : std::strerror(code)));
}

// Where a chain ends, and how much of the text are whole lines.
struct Chain {
  std::uint64_t lines = 0;
  std::string head = std::string(64, '0');
  std::size_t whole_bytes = 0;
};

Result<std::string> HashOf(const Json& line_without_hash) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, CanonicalJson(kLabel, kVersion, line_without_hash));
  return ToHex(Sha256(text));
}

// Takes one more line into the chain, or says what does not fit.
Status Extend(Chain& chain, std::string_view text) {
  const Error broken = VerificationFailed(fmt::format("line {} of the audit log does not fit", chain.lines + 1),
                                          "the file was altered, or a line of it was removed");
  Result<Json> line = ParseJson(text, kMaxLineBytes);
  if (!line.ok() || !line->is_object()) return broken;
  const auto hash = line->find("hash");
  if (hash == line->end() || !hash->is_string()) return broken;
  const std::string stated = hash->get<std::string>();
  line->erase("hash");
  if (line->value("previous", Json()) != Json(chain.head) || line->value("number", Json()) != Json(chain.lines)) {
    return broken;
  }
  const Result<std::string> computed = HashOf(*line);
  if (!computed.ok() || *computed != stated) return broken;
  chain.head = stated;
  ++chain.lines;
  chain.whole_bytes += text.size() + 1;
  return {};
}

// All whole lines; what follows the last line break is left out.
Result<Chain> ReadChain(std::string_view text) {
  Chain chain;
  while (chain.whole_bytes < text.size()) {
    const std::size_t end = text.find('\n', chain.whole_bytes);
    if (end == std::string_view::npos) break;
    SYNOD_RETURN_IF_ERROR(Extend(chain, text.substr(chain.whole_bytes, end - chain.whole_bytes)));
  }
  return chain;
}

Status WriteAll(int descriptor, std::string_view text, const std::string& file) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = write(descriptor, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", file);
    done += static_cast<std::size_t>(written);
  }
  if (fdatasync(descriptor) != 0) return SystemError("write", file);
  return {};
}

}  // namespace

struct AuditLog::State {
  State(std::string name, const Clock& time) : file(std::move(name)), clock(time) {}
  ~State() {
    if (descriptor >= 0) close(descriptor);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::string file;
  const Clock& clock;
  int descriptor = -1;
  Chain chain;
};

AuditLog::AuditLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
AuditLog::~AuditLog() = default;

Result<std::unique_ptr<AuditLog>> AuditLog::Open(const std::string& file, const Clock& clock) {
  auto state = std::make_unique<State>(file, clock);
  state->descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (state->descriptor < 0) return SystemError("open", file);
  if (flock(state->descriptor, LOCK_EX | LOCK_NB) != 0) {
    return Failed(fmt::format("another process has the audit log {} open", file));
  }
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxFileBytes));
  SYNOD_ASSIGN_OR_RETURN(state->chain, ReadChain(text));
  const std::size_t torn_bytes = text.size() - state->chain.whole_bytes;
  if (torn_bytes > 0 && ftruncate(state->descriptor, static_cast<off_t>(state->chain.whole_bytes)) != 0) {
    return SystemError("repair", file);
  }
  std::unique_ptr<AuditLog> log(new AuditLog(std::move(state)));
  // A line that a crash cut off was never acknowledged; that it was there is said.
  if (torn_bytes > 0) SYNOD_RETURN_IF_ERROR(log->Append("unfinished_line_removed", {{"bytes", torn_bytes}}));
  return log;
}

Status AuditLog::Append(std::string_view act, const Json& fields) {
  Json line = {{"act", act},
               {"fields", fields.is_object() ? fields : Json::object()},
               {"number", state_->chain.lines},
               {"previous", state_->chain.head},
               {"time", Rfc3339(state_->clock.UnixSeconds())}};
  SYNOD_ASSIGN_OR_RETURN(const std::string hash, HashOf(line));
  line["hash"] = hash;
  SYNOD_ASSIGN_OR_RETURN(std::string text, CanonicalJsonText(line));
  if (text.size() > kMaxLineBytes) return BadInput("an entry of the audit log is too long");
  text += '\n';
  const Status written = WriteAll(state_->descriptor, text, state_->file);
  if (!written.ok()) {
    // Half a line must not stay in the way of the next one.
    const int repaired = ftruncate(state_->descriptor, static_cast<off_t>(state_->chain.whole_bytes));
    return repaired == 0 ? written : Status(SystemError("repair", state_->file));
  }
  state_->chain.head = hash;
  ++state_->chain.lines;
  state_->chain.whole_bytes += text.size();
  return {};
}

Status AuditLog::Verify(const std::string& file) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxFileBytes));
  SYNOD_ASSIGN_OR_RETURN(const Chain chain, ReadChain(text));
  if (chain.whole_bytes == text.size()) return {};
  return VerificationFailed(fmt::format("line {} of the audit log is not whole", chain.lines + 1),
                            "the daemon removes a line that a crash cut off when it starts");
}

}  // namespace synod
