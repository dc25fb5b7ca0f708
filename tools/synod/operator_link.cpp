#include "tools/synod/operator_link.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "common/consortium/trust.h"
#include "common/core/hex.h"
#include "common/net/link_client.h"
#include "common/wire/limits.h"

namespace synod {
namespace {

constexpr std::size_t kMaxReplyJsonBytes = 256u << 20;
constexpr double kLongestPollSeconds = 1.0;
constexpr double kGoodbyeSeconds = 0.5;

Error ConnectionError(std::string message, std::string hint) {
  return {ErrorCode::kConnection, std::move(message), std::move(hint)};
}

LinkRules RulesOf(const Trust& trust, const Clock& clock) {
  LinkRules rules;
  rules.check_peer = [&trust, &clock](const X509Certificate& leaf) {
    return trust.CheckPeer(leaf, {Role::kCoordinator}, clock.UnixSeconds());
  };
  rules.payload_limit = [](const Identity&, const Message& message) -> std::uint64_t {
    return std::holds_alternative<OperatorReply>(message) ? limits::kMaxReplyBytes : 0;
  };
  rules.trust_numbers = [&trust] { return std::pair(trust.manifest().number, trust.revocations().number); };
  return rules;
}

std::string HintFor(const PeerClosed& closed) {
  if (!closed.reason) return "check that synod-coordinator runs there and that no firewall is between";
  switch (*closed.reason) {
    case GoodbyeReason::kRevoked:
      return "this kit was revoked: ask the keeper of the consortium's root";
    case GoodbyeReason::kNotAllowed:
      return "the coordinator does not know this kit: its keeper may have to reload it (SIGHUP)";
    case GoodbyeReason::kClock:
      return "set the clock of this machine";
    case GoodbyeReason::kDuplicateIdentity:
      return "another command of this operator runs: wait for it, or use a kit of your own";
    case GoodbyeReason::kTooManyLinks:
      return fmt::format("one kit has at most {} commands connected at once: end some of them, such as watches",
                         limits::kMaxLinksOfOne);
    case GoodbyeReason::kOtherVersion:
      return "use the same version of synod as the coordinator";
    default:
      return "";
  }
}

}  // namespace

class OperatorLink::State {
 public:
  State(Trust trust, const Clock& clock) : trust_(std::move(trust)), clock_(clock) {}
  ~State() {
    if (link_ == nullptr || !link_->open()) return;
    link_->Close(GoodbyeReason::kShuttingDown);
    const double deadline = clock_.MonotonicSeconds() + kGoodbyeSeconds;
    while (link_->queued_bytes() > 0 && clock_.MonotonicSeconds() < deadline && Step().ok()) continue;
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Status Open() {
    const Trust& trust = trust_;
    address_ = trust.manifest().coordinator_address;
    SYNOD_ASSIGN_OR_RETURN(
        link_, LinkClient::Create({address_,
                                   {trust.folder() + "/" + std::string(kRootFile),
                                    trust.folder() + "/" + std::string(kOwnCertificateFile), trust.own_key_file()},
                                   RulesOf(trust_, clock_),
                                   /*reconnect=*/false},
                                  clock_));
    const double deadline = clock_.MonotonicSeconds() + kConnectSeconds;
    while (!link_->open()) {
      SYNOD_RETURN_IF_ERROR(Step());
      if (clock_.MonotonicSeconds() < deadline) continue;
      return ConnectionError(fmt::format("{} does not answer", address_),
                             "check that synod-coordinator runs there and that no firewall is between");
    }
    return {};
  }

  Status Send(const OperatorRequest& request, std::string payload) {
    std::shared_ptr<const Bytes> bytes;
    if (!payload.empty()) bytes = std::make_shared<const Bytes>(payload.begin(), payload.end());
    return link_->Send({request, std::move(bytes)});
  }

  struct Reply {
    OperatorReply head;
    Bytes payload;
  };
  // The next reply to request `id`.
  Result<Reply> Receive(std::uint64_t id, double seconds) {
    const double deadline = clock_.MonotonicSeconds() + seconds;
    for (;;) {
      for (std::size_t i = 0; i < replies_.size(); ++i) {
        if (replies_[i].head.id != id) continue;
        Reply reply = std::move(replies_[i]);
        replies_.erase(replies_.begin() + static_cast<std::ptrdiff_t>(i));
        return reply;
      }
      if (clock_.MonotonicSeconds() >= deadline) {
        return Error{ErrorCode::kTimeout, fmt::format("{} gave no reply in {:.0f} s", address_, seconds), ""};
      }
      SYNOD_RETURN_IF_ERROR(Step());
    }
  }

  std::uint64_t NextId() { return ++last_id_; }
  const std::string& address() const { return address_; }

 private:
  // Waits for the next thing to happen, and takes it.
  Status Step() {
    const double wait = std::clamp(link_->next_timer() - clock_.MonotonicSeconds(), 0.0, kLongestPollSeconds);
    pollfd item{link_->descriptor(), POLLIN, 0};
    poll(&item, 1, static_cast<int>(1e3 * wait) + 1);
    for (LinkEvent& event : link_->Advance()) {
      if (const auto* closed = std::get_if<PeerClosed>(&event)) return WhyClosed(*closed);
      auto* message = std::get_if<PeerMessage>(&event);
      if (message == nullptr) continue;
      const auto* reply = std::get_if<OperatorReply>(&message->envelope.message);
      if (reply == nullptr) continue;
      replies_.push_back({*reply, message->envelope.payload ? *message->envelope.payload : Bytes()});
    }
    return {};
  }

  Error WhyClosed(const PeerClosed& closed) const {
    std::string why = closed.error.message;
    if (closed.reason) {
      why = std::string(GoodbyeReasonName(*closed.reason)) + (why.empty() ? "" : ": ") + why;
    }
    return ConnectionError(fmt::format("no connection to the coordinator at {}: {}", address_, why), HintFor(closed));
  }

  Trust trust_;
  const Clock& clock_;
  std::unique_ptr<LinkClient> link_;
  std::string address_;
  std::vector<Reply> replies_;
  std::uint64_t last_id_ = 0;
};

OperatorLink::OperatorLink(std::unique_ptr<State> state) : state_(std::move(state)) {}
OperatorLink::~OperatorLink() = default;

Result<std::unique_ptr<OperatorLink>> OperatorLink::Connect(const std::string& kit, const Clock& clock) {
  Result<Trust> trust = Trust::Load(kit + "/trust", clock);
  if (!trust.ok()) {
    Error error = trust.error().Within("the kit " + kit);
    if (error.hint.empty()) error.hint = "name an operator's kit with --kit or SYNOD_KIT";
    return error;
  }
  const Role role = trust->self().role;
  if (role != Role::kOperator && role != Role::kViewer && role != Role::kAdmin) {
    return BadInput(fmt::format("the kit {} is that of a {}", kit, RoleName(role)), "use the kit of an operator");
  }
  auto state = std::make_unique<State>(std::move(*trust), clock);
  SYNOD_RETURN_IF_ERROR(state->Open());
  return std::unique_ptr<OperatorLink>(new OperatorLink(std::move(state)));
}

Result<Bytes> OperatorLink::Ask(OperatorVerb verb, const RunId& run, std::string payload) {
  const std::uint64_t id = state_->NextId();
  SYNOD_RETURN_IF_ERROR(state_->Send({id, verb, run}, std::move(payload)));
  SYNOD_ASSIGN_OR_RETURN(State::Reply reply, state_->Receive(id, kReplySeconds));
  if (reply.head.error_code == 0) return std::move(reply.payload);
  return Error{static_cast<ErrorCode>(reply.head.error_code), reply.head.message, reply.head.hint};
}

Result<Json> OperatorLink::AskJson(OperatorVerb verb, const RunId& run, std::string payload) {
  SYNOD_ASSIGN_OR_RETURN(const Bytes bytes, Ask(verb, run, std::move(payload)));
  return ParseJson(AsText(bytes), kMaxReplyJsonBytes);
}

Result<Json> OperatorLink::Watch(const RunId& run, const std::function<void(const Json& view)>& on_view) {
  const std::uint64_t id = state_->NextId();
  SYNOD_RETURN_IF_ERROR(state_->Send({id, OperatorVerb::kRunWatch, run}, ""));
  for (;;) {
    // A run may wait for days; that the coordinator lives is for the link to find out.
    constexpr double kForever = 1e9;
    SYNOD_ASSIGN_OR_RETURN(const State::Reply reply, state_->Receive(id, kForever));
    if (reply.head.error_code != 0) {
      return Error{static_cast<ErrorCode>(reply.head.error_code), reply.head.message, reply.head.hint};
    }
    SYNOD_ASSIGN_OR_RETURN(Json view, ParseJson(AsText(reply.payload), kMaxReplyJsonBytes));
    on_view(view);
    if (!reply.head.more) return view;
  }
}

const std::string& OperatorLink::address() const {
  return state_->address();
}

std::string OperatorKit(const std::string& given) {
  if (!given.empty()) return given;
  const char* from_environment = std::getenv("SYNOD_KIT");
  return from_environment == nullptr || *from_environment == '\0' ? "." : from_environment;
}

Result<RunId> FindRun(OperatorLink& link, const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return BadInput(fmt::format("\"{}\" is not the beginning of a run's id", text), "see `synod run list`");
  }
  SYNOD_ASSIGN_OR_RETURN(const Json list, link.AskJson(OperatorVerb::kRunList));
  std::vector<std::string> found;
  for (const Json& run : list.value("runs", Json::array())) {
    std::string id = run.value("run", "");
    if (id.starts_with(text)) found.push_back(std::move(id));
  }
  if (found.empty()) return BadInput(fmt::format("no run's id begins with {}", text), "see `synod run list`");
  if (found.size() > 1) {
    return BadInput(fmt::format("the ids of {} runs begin with {}", found.size(), text), "give more of its digits");
  }
  RunId run;
  SYNOD_ASSIGN_OR_RETURN(run.bytes, FixedFromHex<16>(found.front()));
  return run;
}

}  // namespace synod
