#include "site_agent/site_daemon.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <limits>
#include <zmq.hpp>

#include "common/net/event_loop.h"
#include "common/net/link_client.h"
#include "site_agent/control_socket.h"
#include "site_agent/daemon_status.h"
#include "site_agent/site_agent.h"
#include "site_agent/site_commands.h"
#include "site_agent/site_worker.h"

namespace synod {
namespace {

constexpr double kEndLookSeconds = 0.05;  // whether the goodbye has left

// The link as the agent sees it; made before the link is.
class LinkPort final : public CoordinatorPort {
 public:
  bool open() const override { return link != nullptr && link->open(); }
  Status Send(Envelope envelope) override {
    if (!open()) return Error{ErrorCode::kConnection, "there is no link to the coordinator", ""};
    return link->Send(std::move(envelope));
  }
  std::uint64_t queued_bytes() const override { return link == nullptr ? 0 : link->queued_bytes(); }
  void CheckPeerAgain() override {
    if (link != nullptr && !link->CheckPeerAgain()) refused = true;
  }
  LinkClient* link = nullptr;
  bool refused = false;  // who had the link that was open last: what it still said does not count
};

Result<std::unique_ptr<EventLog>> OpenLog(const SiteConfiguration& configuration, const Clock& clock) {
  EventLog::Settings settings;
  settings.file = configuration.log_file;
  settings.plain = settings.file.empty() && isatty(STDERR_FILENO) != 0;
  SYNOD_ASSIGN_OR_RETURN(settings.level, LogLevelFromName(configuration.log_level));
  return EventLog::Open(settings, clock);
}

Result<std::unique_ptr<AuditLog>> OpenAudit(const std::string& kit, const Clock& clock) {
  const std::string folder = kit + "/log";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Failed("cannot make " + folder + ": " + error.message());
  return AuditLog::Open(folder + "/audit.log", clock);
}

WorkerProcess::Settings WorkerSettings(const SiteDaemon::Settings& settings, const SiteConfiguration& configuration) {
  WorkerProcess::Settings worker;
  worker.program = settings.worker_program;
  if (worker.program.empty()) worker.program = configuration.worker;
  if (worker.program.empty()) worker.program = WorkerProgramBesideThis();
  worker.socket_path = settings.kit + "/state/worker.sock";
  worker.threads = configuration.threads;
  worker.device = configuration.device;
  worker.extra_arguments = settings.worker_arguments;
  return worker;
}

}  // namespace

// Members in the order in which they need each other.
class SiteDaemon::State {
 public:
  static Result<std::unique_ptr<State>> Create(Settings settings, Ports ports);
  Status Run();

 private:
  State(Settings settings, Ports ports) : settings_(std::move(settings)), ports_(std::move(ports)) {}
  Status OpenAgent(SiteConfiguration configuration, Trust trust);
  Status OpenLink();
  void WatchEvents();
  void OnLinkEvents();
  void OnSignal(int signal);
  void Reload();
  void BeginEnd();
  double NextTimer() const;
  void OnTimer();
  Json AnswerControl(const Json& request);
  LinkRules Rules();
  TlsFiles Files() const;

  Settings settings_;
  Ports ports_;
  zmq::context_t zmq_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<EventLog> log_;
  std::unique_ptr<AuditLog> audit_;
  LinkPort coordinator_;
  OperatingSystemStreams secrets_;
  std::unique_ptr<SiteAgent> agent_;
  std::unique_ptr<SiteWorker> worker_;
  std::unique_ptr<LinkClient> link_;
  std::unique_ptr<ControlServer> control_;
  std::string address_;
  double next_look_ = 0.0;
  double next_watchdog_ = 0.0;
  double end_by_ = std::numeric_limits<double>::infinity();
  double next_end_look_ = 0.0;
  bool ending_ = false;
  std::string reload_problem_;
};

Result<std::unique_ptr<SiteDaemon::State>> SiteDaemon::State::Create(Settings settings, Ports ports) {
  SYNOD_ASSIGN_OR_RETURN(SiteConfiguration configuration, SiteConfiguration::FromKit(settings.kit));
  SYNOD_ASSIGN_OR_RETURN(Trust trust, Trust::Load(settings.kit + "/trust", ports.clock));
  if (trust.self().role != Role::kSite) {
    return BadInput("the kit belongs to " + trust.self().Uri() + ", which is no site");
  }
  if (DaemonListens(settings.kit)) return Failed("another process runs this kit's daemon", "see synod-site status");
  std::unique_ptr<State> state(new State(std::move(settings), std::move(ports)));
  SYNOD_ASSIGN_OR_RETURN(state->loop_, EventLoop::Create(state->ports_.clock, {SIGTERM, SIGINT, SIGHUP, SIGCHLD}));
  SYNOD_ASSIGN_OR_RETURN(state->log_, OpenLog(configuration, state->ports_.clock));
  SYNOD_ASSIGN_OR_RETURN(state->audit_, OpenAudit(state->settings_.kit, state->ports_.clock));
  state->address_ =
      configuration.coordinator.empty() ? trust.manifest().coordinator_address : configuration.coordinator;
  SYNOD_RETURN_IF_ERROR(state->OpenAgent(std::move(configuration), std::move(trust)));
  SYNOD_RETURN_IF_ERROR(state->OpenLink());
  state->WatchEvents();
  return state;
}

Status SiteDaemon::State::OpenAgent(SiteConfiguration configuration, Trust trust) {
  SYNOD_ASSIGN_OR_RETURN(SitePolicy policy, SitePolicy::FromKit(settings_.kit));
  SYNOD_ASSIGN_OR_RETURN(SigningKey key, trust.LoadSigningKey());
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<SiteState> state,
                         SiteState::Open(settings_.kit, ports_.clock, ports_.fail_points));
  const WorkerProcess::Settings worker = WorkerSettings(settings_, configuration);
  if (access(worker.program.c_str(), X_OK) != 0) {
    return BadInput("there is no program " + worker.program, "name the worker in site.toml: [compute] worker = PATH");
  }
  worker_ = std::make_unique<SiteWorker>(
      worker,
      SiteWorker::Ports{zmq_.handle(), *loop_, [this](WorkerReply reply) { agent_->OnWorkerReply(std::move(reply)); },
                        [this](const Error& error) { agent_->OnWorkerLost(error); }});
  SiteAgent::Setup setup{settings_.kit,    std::move(configuration), std::move(policy),
                         std::move(trust), std::move(key),           std::move(state)};
  SYNOD_ASSIGN_OR_RETURN(
      agent_, SiteAgent::Create({ports_.clock, ports_.fail_points, *log_, *audit_, coordinator_, *worker_, secrets_},
                                std::move(setup)));
  return {};
}

LinkRules SiteDaemon::State::Rules() {
  LinkRules rules;
  rules.check_peer = [this](const X509Certificate& leaf) {
    return agent_->context().trust.CheckPeer(leaf, {Role::kCoordinator}, ports_.clock.UnixSeconds());
  };
  rules.payload_limit = [this](const Identity&, const Message& message) { return agent_->PayloadLimit(message); };
  rules.trust_numbers = [this] {
    const Trust& trust = agent_->context().trust;
    return std::pair(trust.manifest().number, trust.revocations().number);
  };
  return rules;
}

TlsFiles SiteDaemon::State::Files() const {
  const std::string folder = settings_.kit + "/trust/";
  return {folder + std::string(kRootFile), folder + std::string(kOwnCertificateFile),
          folder + std::string(kOwnKeyFile)};
}

Status SiteDaemon::State::OpenLink() {
  SYNOD_ASSIGN_OR_RETURN(link_, LinkClient::Create({address_, Files(), Rules()}, ports_.clock));
  coordinator_.link = link_.get();
  SYNOD_ASSIGN_OR_RETURN(control_, ControlServer::Listen(zmq_.handle(), settings_.kit, [this](const Json& request) {
                           return AnswerControl(request);
                         }));
  return {};
}

void SiteDaemon::State::WatchEvents() {
  loop_->Watch(link_->descriptor(), [this] { OnLinkEvents(); });
  loop_->Watch(control_->zmq_handle(), [this] {
    control_->Advance();
    agent_->Advance();
  });
  loop_->AddTimer([this] { return link_->next_timer(); }, [this] { OnLinkEvents(); });
  loop_->AddTimer([this] { return NextTimer(); }, [this] { OnTimer(); });
  loop_->OnSignal([this](int signal) { OnSignal(signal); });
}

void SiteDaemon::State::OnLinkEvents() {
  for (LinkEvent& event : link_->Advance()) {
    if (const auto* opened = std::get_if<PeerOpened>(&event)) {
      coordinator_.refused = false;
      agent_->OnLinkOpened(*opened);
      ports_.service.StatusText("connected to " + opened->identity.name);
    } else if (const auto* closed = std::get_if<PeerClosed>(&event)) {
      agent_->OnLinkClosed(*closed);
      ports_.service.StatusText("not connected: " + closed->error.message);
    } else if (!ending_ && !coordinator_.refused) {
      agent_->OnMessage(std::get<PeerMessage>(event).envelope);
    }
  }
  if (!ending_) agent_->Advance();
}

void SiteDaemon::State::OnSignal(int signal) {
  if (signal == SIGHUP) return Reload();
  if (signal == SIGCHLD) {
    worker_->Look();
    if (!ending_) agent_->Advance();
    return;
  }
  BeginEnd();
}

void SiteDaemon::State::Reload() {
  ports_.service.Reloading();
  Status reloaded = agent_->Reload();
  if (reloaded.ok()) reloaded = link_->Reload();
  reload_problem_ = reloaded.ok() ? "" : reloaded.error().message;
  if (reloaded.ok()) {
    log_->Info("reloaded", Json::object());
  } else {
    log_->Error("not_reloaded", {{"error", reload_problem_}});
  }
  agent_->Advance();
  ports_.service.Ready();
}

void SiteDaemon::State::BeginEnd() {
  if (ending_) return loop_->Stop();
  ending_ = true;
  ports_.service.Stopping();
  log_->Info("ending", Json::object());
  worker_->End();
  link_->Close(GoodbyeReason::kShuttingDown);
  end_by_ = ports_.clock.MonotonicSeconds() + kGoodbyeSeconds;
}

double SiteDaemon::State::NextTimer() const {
  if (ending_) return link_->open() ? std::min(end_by_, next_end_look_) : 0.0;
  double next = std::min(agent_->next_timer(), next_watchdog_);
  if (worker_->process_id() != 0) next = std::min(next, next_look_);
  return next;
}

void SiteDaemon::State::OnTimer() {
  const double now = ports_.clock.MonotonicSeconds();
  if (ending_) {
    next_end_look_ = now + kEndLookSeconds;
    if (!link_->open() || now >= end_by_) loop_->Stop();
    return;
  }
  if (now >= next_watchdog_) {
    ports_.service.Watchdog();
    next_watchdog_ = now + ports_.service.watchdog_seconds();
  }
  if (now >= next_look_) {
    next_look_ = now + kLookSeconds;
    worker_->Look();
  }
  agent_->Advance();
}

Json SiteDaemon::State::AnswerControl(const Json& request) {
  const SiteContext& context = agent_->context();
  const auto status = [&] {
    return DaemonStatus(*agent_, {address_, worker_->process_id(), link_->statistics(), reload_problem_});
  };
  const SiteDesk desk{settings_.kit, context.state, context.configuration, context.policy, ports_.clock,
                      agent_.get(),  status};
  return WrapReply(AnswerSiteRequest(desk, request));
}

Status SiteDaemon::State::Run() {
  log_->Info("started",
             {{"site", agent_->context().own_name()}, {"version", DaemonVersion()}, {"coordinator", address_}});
  ports_.service.Ready();
  OnLinkEvents();
  const Status status = loop_->Run();
  log_->Info("ended", Json::object());
  return status;
}

SiteDaemon::SiteDaemon(std::unique_ptr<State> state) : state_(std::move(state)) {}
SiteDaemon::~SiteDaemon() = default;

Result<std::unique_ptr<SiteDaemon>> SiteDaemon::Create(Settings settings, Ports ports) {
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<State> state, State::Create(std::move(settings), std::move(ports)));
  return std::unique_ptr<SiteDaemon>(new SiteDaemon(std::move(state)));
}

Status SiteDaemon::Run() {
  return state_->Run();
}

}  // namespace synod
