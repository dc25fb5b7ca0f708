#include "coordinator/coordinator_daemon.h"

#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <limits>
#include <map>
#include <zmq.hpp>

#include "common/consortium/trust.h"
#include "common/net/event_loop.h"
#include "common/net/link_server.h"
#include "common/store/database.h"
#include "common/store/head_book.h"
#include "common/store/sqlite_ledger_store.h"
#include "coordinator/head_desk.h"
#include "coordinator/operator_desk.h"
#include "coordinator/run_director.h"
#include "coordinator/sqlite_run_store.h"
#include "coordinator/sqlite_training_store.h"
#include "coordinator/worker_line.h"

namespace synod {
namespace {

Status MakeFolder(const std::string& folder, mode_t mode) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Failed("cannot make the folder " + folder + ": " + error.message());
  if (chmod(folder.c_str(), mode) != 0) return Failed("cannot set the permissions of the folder " + folder);
  return {};
}

TlsFiles TlsFilesOf(const Trust& trust) {
  return {trust.folder() + "/ca.pem", trust.folder() + "/own.crt", trust.own_key_file()};
}

}  // namespace

// Members in the order in which they need each other; the loop's callbacks name only what lives as long as it.
class CoordinatorDaemon::State {
 public:
  static Result<std::unique_ptr<State>> Create(Settings settings, Ports ports);

  std::uint16_t port() const { return server_->port(); }
  Status Run();

 private:
  State(Settings settings, Ports ports, Trust trust, SigningKey key)
      : settings_(std::move(settings)),
        ports_(std::move(ports)),
        trust_(std::move(trust)),
        key_(std::move(key)),
        sites_(ports_.clock) {}

  Status OpenDatabase();
  Status OpenPort();
  void MakeWorkers();
  void MakeDesks();
  void WatchEvents();
  WorkerProcess::Settings WorkerSettings(const std::string& socket) const;

  void OnLinks();
  void OnOpened(const PeerOpened& opened);
  void OnMessage(const PeerMessage& message);
  void OnClosed(const PeerClosed& closed);
  void SendToSite(const std::string& site, Envelope envelope);
  void SendToPeer(PeerId peer, Envelope envelope);
  void PushTrust(const std::string& site);
  std::uint64_t PayloadLimit(const Identity& peer, const Message& message) const;

  void OnSignal(int signal);
  void Reload();
  void BeginShutdown();
  void Tick();
  bool ending() const { return end_by_ < std::numeric_limits<double>::infinity(); }
  std::string FileOf(const RunId& run) const { return settings_.configuration.published_file(RunIdText(run)); }

  Settings settings_;
  Ports ports_;
  Trust trust_;
  SigningKey key_;
  zmq::context_t zmq_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<SqliteRunStore> runs_;
  std::unique_ptr<SqliteLedgerStore> ledger_store_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<RunBook> book_;
  std::unique_ptr<HeadBook> heads_;
  SiteBook sites_;
  OwedAnswers owed_;
  std::unique_ptr<LinkServer> server_;
  std::unique_ptr<WorkerLine> resolver_;
  std::unique_ptr<WorkerLine> trainer_;
  std::unique_ptr<SigningDesk> signing_;
  std::unique_ptr<RunDirector> director_;
  std::unique_ptr<HeadDesk> witness_;
  std::unique_ptr<OperatorDesk> operators_;
  std::map<PeerId, Identity> peers_;
  double next_tick_ = 0.0;
  double next_watchdog_ = std::numeric_limits<double>::infinity();
  double end_by_ = std::numeric_limits<double>::infinity();
};

// ---- Opening.

Result<std::unique_ptr<CoordinatorDaemon::State>> CoordinatorDaemon::State::Create(Settings settings, Ports ports) {
  SYNOD_ASSIGN_OR_RETURN(Trust trust, Trust::Load(settings.configuration.trust_folder(), ports.clock));
  if (trust.self().role != Role::kCoordinator) {
    return BadInput("the kit is that of " + trust.self().Uri() + ", not of a coordinator");
  }
  SYNOD_ASSIGN_OR_RETURN(SigningKey key, trust.LoadSigningKey());
  std::unique_ptr<State> state(new State(std::move(settings), std::move(ports), std::move(trust), std::move(key)));
  SYNOD_ASSIGN_OR_RETURN(state->loop_,
                         EventLoop::Create(state->ports_.clock, {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE}));
  SYNOD_RETURN_IF_ERROR(state->OpenDatabase());
  SYNOD_RETURN_IF_ERROR(state->OpenPort());
  state->MakeWorkers();
  state->MakeDesks();
  state->WatchEvents();
  return state;
}

Status CoordinatorDaemon::State::OpenDatabase() {
  const CoordinatorSettings& configuration = settings_.configuration;
  SYNOD_RETURN_IF_ERROR(MakeFolder(configuration.state_folder(), 0700));
  SYNOD_RETURN_IF_ERROR(MakeFolder(configuration.published_folder(), 0755));
  SYNOD_ASSIGN_OR_RETURN(database_, Database::Open(configuration.database_file()));
  SYNOD_ASSIGN_OR_RETURN(SqliteRunStore runs, SqliteRunStore::Open(*database_));
  runs_ = std::make_unique<SqliteRunStore>(std::move(runs));
  SYNOD_ASSIGN_OR_RETURN(SqliteLedgerStore ledger_store,
                         SqliteLedgerStore::Open(*database_, ports_.fail_points, FailPoint::kCoordinatorBeforeCharge,
                                                 FailPoint::kCoordinatorAfterCharge));
  ledger_store_ = std::make_unique<SqliteLedgerStore>(std::move(ledger_store));
  SYNOD_ASSIGN_OR_RETURN(Ledger ledger, Ledger::Open(*ledger_store_));
  ledger_ = std::make_unique<Ledger>(std::move(ledger));
  SYNOD_ASSIGN_OR_RETURN(RunBook book, RunBook::Open({*runs_, ports_.clock, ports_.fail_points}));
  book_ = std::make_unique<RunBook>(std::move(book));
  SYNOD_ASSIGN_OR_RETURN(
      HeadBook heads, HeadBook::Open(*database_, "sites", ports_.fail_points, FailPoint::kCoordinatorBeforeHeadStored,
                                     FailPoint::kCoordinatorAfterHeadStored));
  heads_ = std::make_unique<HeadBook>(std::move(heads));
  return {};
}

Status CoordinatorDaemon::State::OpenPort() {
  LinkRules rules;
  rules.check_peer = [this](const X509Certificate& leaf) {
    return trust_.CheckPeer(leaf, {Role::kSite, Role::kViewer, Role::kOperator, Role::kAdmin},
                            ports_.clock.UnixSeconds());
  };
  rules.payload_limit = [this](const Identity& peer, const Message& message) { return PayloadLimit(peer, message); };
  rules.trust_numbers = [this] { return std::pair(trust_.manifest().number, trust_.revocations().number); };
  SYNOD_ASSIGN_OR_RETURN(
      server_, LinkServer::Listen({settings_.configuration.address, TlsFilesOf(trust_), rules}, ports_.clock));
  return {};
}

WorkerProcess::Settings CoordinatorDaemon::State::WorkerSettings(const std::string& socket) const {
  return {settings_.worker_program, settings_.configuration.state_folder() + "/" + socket,
          settings_.configuration.threads, settings_.configuration.device, settings_.worker_arguments};
}

void CoordinatorDaemon::State::MakeWorkers() {
  const auto ports = [this](auto on_reply, auto on_lost) {
    return WorkerLine::Ports{zmq_.handle(), *loop_, ports_.clock,
                             [this, on_reply](WorkerReply reply) {
                               (director_.get()->*on_reply)(std::move(reply));
                               director_->Advance();
                             },
                             [this, on_lost](const Error& error) {
                               (director_.get()->*on_lost)(error);
                               director_->Advance();
                             }};
  };
  resolver_ = std::make_unique<WorkerLine>(WorkerSettings("resolver.sock"),
                                           ports(&RunDirector::OnResolverReply, &RunDirector::OnResolverLost));
  trainer_ = std::make_unique<WorkerLine>(WorkerSettings("trainer.sock"),
                                          ports(&RunDirector::OnTrainerReply, &RunDirector::OnTrainerLost));
}

void CoordinatorDaemon::State::MakeDesks() {
  const auto to_site = [this](const std::string& site, Envelope envelope) { SendToSite(site, std::move(envelope)); };
  const auto file_of = [this](const RunId& run) { return FileOf(run); };
  signing_ = std::make_unique<SigningDesk>(
      SigningDesk::Ports{*book_, *runs_, sites_, trust_, key_, ports_.clock, ports_.fail_points, ports_.log, to_site,
                         file_of, [this](const RunRecord& record) { director_->TellSites(record); }});
  const auto worker = [](WorkerLine& line) {
    return RunDirector::Worker{[&line](WorkerRequest request) { line.Send(std::move(request)); },
                               [&line] { line.Kill(); }};
  };
  const auto training_store = [this](const RunId& run) {
    return SqliteTrainingStore::Open(*database_, *ledger_store_, run, ports_.fail_points);
  };
  director_ = std::make_unique<RunDirector>(
      RunDirector::Ports{*book_, *signing_, *ledger_, sites_, owed_, trust_, ports_.clock, ports_.fail_points,
                         ports_.log, worker(*resolver_), worker(*trainer_), training_store, to_site, [this] {
                           const LinkServer::Statistics links = server_->statistics();
                           return RunDirector::Traffic{links.bytes_sent, links.bytes_received};
                         }});
  witness_ = std::make_unique<HeadDesk>(
      HeadDesk::Ports{*heads_, trust_, ports_.clock, ports_.log, to_site, [this] { return book_->TrainingSites(); }});
  operators_ = std::make_unique<OperatorDesk>(
      OperatorDesk::Ports{*book_, *director_, sites_, trust_, ports_.clock, ports_.log,
                          [this](PeerId peer, Envelope envelope) { SendToPeer(peer, std::move(envelope)); }, file_of,
                          [this](const std::string& site) { return witness_->View(site); }});
}

void CoordinatorDaemon::State::WatchEvents() {
  loop_->Watch(server_->descriptor(), [this] { OnLinks(); });
  loop_->AddTimer([this] { return server_->next_timer(); }, [this] { OnLinks(); });
  loop_->AddTimer([this] { return next_tick_; }, [this] { Tick(); });
  loop_->OnSignal([this](int signal) { OnSignal(signal); });
}

// ---- Links.

void CoordinatorDaemon::State::OnLinks() {
  for (const LinkEvent& event : server_->Advance()) {
    if (const auto* opened = std::get_if<PeerOpened>(&event)) OnOpened(*opened);
    if (const auto* message = std::get_if<PeerMessage>(&event)) OnMessage(*message);
    if (const auto* closed = std::get_if<PeerClosed>(&event)) OnClosed(*closed);
  }
  if (!ending()) director_->Advance();
}

void CoordinatorDaemon::State::OnOpened(const PeerOpened& opened) {
  peers_[opened.peer] = opened.identity;
  if (ending()) return server_->Close(opened.peer, GoodbyeReason::kShuttingDown);
  ports_.log.Info("link_opened", {{"peer", opened.identity.Uri()}, {"version", opened.hello.software_version}});
  if (opened.identity.role != Role::kSite) return;
  const std::string& site = opened.identity.name;
  sites_.Opened(site, opened.peer, opened.hello);
  PushTrust(site);
  witness_->OnSiteConnected(site);  // before anything is asked of it
  director_->OnSiteConnected(site);
}

void CoordinatorDaemon::State::OnMessage(const PeerMessage& message) {
  const auto found = peers_.find(message.peer);
  // What comes at the end is asked for again after the next start.
  if (found == peers_.end() || ending()) return;
  const Identity identity = found->second;
  Status taken;
  if (identity.role == Role::kSite) {
    sites_.Heard(identity.name);
    if (const auto* heads = std::get_if<LedgerHeads>(&message.envelope.message)) {
      return witness_->OnHeads(identity.name, *heads);
    }
    taken = director_->OnSiteMessage(identity.name, message.envelope);
  } else if (const auto* request = std::get_if<OperatorRequest>(&message.envelope.message)) {
    const ByteView payload = message.envelope.payload ? ByteView(*message.envelope.payload) : ByteView();
    operators_->OnRequest(message.peer, identity, *request, payload);
  } else {
    taken = Refused("a message that this role may not send");
  }
  if (taken.ok()) return;
  ports_.log.Warning("protocol_broken", {{"peer", identity.Uri()},
                                         {"message", MessageName(message.envelope.message)},
                                         {"reason", taken.error().message}});
  server_->Close(message.peer, GoodbyeReason::kProtocol);
}

void CoordinatorDaemon::State::OnClosed(const PeerClosed& closed) {
  std::string why = closed.error.message;
  if (closed.reason) why = std::string(GoodbyeReasonName(*closed.reason)) + (why.empty() ? "" : ": " + why);
  ports_.log.Info("link_closed",
                  {{"peer", closed.identity ? closed.identity->Uri() : "not authenticated"}, {"reason", why}});
  if (closed.identity && closed.identity->role == Role::kSite) sites_.Closed(closed.identity->name, closed.peer, why);
  operators_->OnPeerClosed(closed.peer);
  peers_.erase(closed.peer);
}

void CoordinatorDaemon::State::SendToSite(const std::string& site, Envelope envelope) {
  const std::optional<PeerId> peer = sites_.Link(site).peer;
  if (peer) SendToPeer(*peer, std::move(envelope));
}

void CoordinatorDaemon::State::SendToPeer(PeerId peer, Envelope envelope) {
  const Status sent = server_->Send(peer, std::move(envelope));
  // A peer that is gone or too slow is closed by the links, and heard of there.
  if (!sent.ok()) ports_.log.Warning("not_sent", {{"reason", sent.error().message}});
}

void CoordinatorDaemon::State::PushTrust(const std::string& site) {
  const SiteLink link = sites_.Link(site);
  const std::uint64_t manifest = trust_.manifest().number;
  const std::uint64_t revocations = trust_.revocations().number;
  if (link.manifest_number > manifest || link.revocations_number > revocations) {
    ports_.log.Warning("trust_older_than_site", {{"site", site}});
  }
  if (!link.peer || (link.manifest_number >= manifest && link.revocations_number >= revocations)) return;
  const std::string text = trust_.Bundle().ToJsonText();
  SendToSite(site, {TrustUpdate{manifest, revocations}, std::make_shared<const Bytes>(text.begin(), text.end())});
  sites_.TrustSent(site, manifest, revocations);
}

std::uint64_t CoordinatorDaemon::State::PayloadLimit(const Identity& peer, const Message& message) const {
  if (peer.role == Role::kSite) return owed_.PayloadLimit(peer.name, message);
  const auto* request = std::get_if<OperatorRequest>(&message);
  return request == nullptr ? 0 : OperatorDesk::PayloadLimit(peer.role, *request);
}

// ---- Signals and time.

void CoordinatorDaemon::State::OnSignal(int signal) {
  if (signal == SIGTERM || signal == SIGINT) return BeginShutdown();
  if (ending()) return;
  if (signal == SIGHUP) return Reload();
  if (signal == SIGCHLD) {
    resolver_->Tick();
    trainer_->Tick();
  }
}

void CoordinatorDaemon::State::Reload() {
  ports_.service_manager.Reloading();
  Result<Trust> trust = trust_.Reloaded(ports_.clock);
  if (trust.ok()) {
    trust_ = std::move(*trust);
    const Status reloaded = server_->Reload();
    if (!reloaded.ok()) ports_.log.Error("certificates_not_reloaded", {{"reason", reloaded.error().message}});
    server_->CheckPeersAgain();
    for (const auto& [peer, identity] : peers_) {
      if (identity.role == Role::kSite) PushTrust(identity.name);
    }
    ports_.log.Info("kit_reloaded",
                    {{"manifest", trust_.manifest().number}, {"revocations", trust_.revocations().number}});
  } else {
    ports_.log.Error("kit_not_reloaded", {{"reason", trust.error().message}});
  }
  ports_.service_manager.Ready();
}

void CoordinatorDaemon::State::BeginShutdown() {
  if (ending()) return;
  ports_.log.Info("stopping");
  witness_->Flush();
  ports_.service_manager.Stopping();
  end_by_ = ports_.clock.MonotonicSeconds() + kShutdownSeconds;
  resolver_->Kill();
  trainer_->Kill();
  for (const auto& [peer, identity] : peers_) server_->Close(peer, GoodbyeReason::kShuttingDown);
}

void CoordinatorDaemon::State::Tick() {
  const double now = ports_.clock.MonotonicSeconds();
  next_tick_ = now + kTickSeconds;
  if (ending()) {
    if (server_->statistics().open_peers == 0 || now >= end_by_) loop_->Stop();
    return;
  }
  resolver_->Tick();
  trainer_->Tick();
  director_->Tick();
  witness_->Tick();
  operators_->Tick();
  if (now < next_watchdog_) return;
  ports_.service_manager.Watchdog();
  next_watchdog_ = now + ports_.service_manager.watchdog_seconds();
}

Status CoordinatorDaemon::State::Run() {
  const double watchdog = ports_.service_manager.watchdog_seconds();
  if (watchdog < std::numeric_limits<double>::infinity()) next_watchdog_ = ports_.clock.MonotonicSeconds();
  ports_.log.Info("listening", {{"address", settings_.configuration.address}, {"port", port()}});
  ports_.service_manager.Ready();
  director_->Advance();
  SYNOD_RETURN_IF_ERROR(loop_->Run());
  ports_.log.Info("stopped");
  return {};
}

CoordinatorDaemon::CoordinatorDaemon(std::unique_ptr<State> state) : state_(std::move(state)) {}
CoordinatorDaemon::~CoordinatorDaemon() = default;

Result<std::unique_ptr<CoordinatorDaemon>> CoordinatorDaemon::Create(Settings settings, Ports ports) {
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<State> state, State::Create(std::move(settings), std::move(ports)));
  return std::unique_ptr<CoordinatorDaemon>(new CoordinatorDaemon(std::move(state)));
}

std::uint16_t CoordinatorDaemon::port() const {
  return state_->port();
}

Status CoordinatorDaemon::Run() {
  return state_->Run();
}

}  // namespace synod
