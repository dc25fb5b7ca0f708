// Real workers as their daemons see them. This program links what a daemon links of them and no more.
#include "models/worker/worker_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/core/child_process.h"
#include "models/worker/pair_socket.h"
#include "tests/support/shared_data.h"
#include "tests/unit/models/worker_world.h"

namespace synod {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const RunId kRun{{6}};

std::string RealWorker() {
  return std::string(SYNOD_BINARY_DIR) + "/bin/synod-worker";
}
std::string TestWorkerProgram() {
  return std::string(SYNOD_BINARY_DIR) + "/tests/test_worker";
}

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string PrivateFolder() {
  std::string folder = testing::TemporaryFolder();
  chmod(folder.c_str(), 0700);
  return folder;
}

// Work that keeps a worker from its socket for a while: plans of a family that takes long to calibrate.
Status KeepBusy(WorkerProcess& worker) {
  const ResolveRequest slow = testing::WardResolve(
      testing::WardSpecification("family = \"table_diffusion\"\nsteps = 400\nbatch = 50\nhidden = 4\n"));
  for (int i = 0; i < 100; ++i) SYNOD_RETURN_IF_ERROR(worker.Send(slow));
  return {};
}

class WorkerProcesses : public ::testing::Test {
 protected:
  WorkerProcesses() : context_(zmq_ctx_new()) {}
  ~WorkerProcesses() override { zmq_ctx_term(context_); }

  WorkerProcess::Settings Settings(const std::string& program, std::vector<std::string> extra = {}) const {
    return {program, socket_path_, 1, "auto", std::move(extra)};
  }
  std::unique_ptr<WorkerProcess> Start(const std::string& program, std::vector<std::string> extra = {}) const {
    Result<std::unique_ptr<WorkerProcess>> started =
        WorkerProcess::Start(context_, Settings(program, std::move(extra)));
    EXPECT_TRUE(started.ok()) << started.error().message;
    return started.ok() ? std::move(*started) : nullptr;
  }
  // The next reply, or the error that came instead.
  static Result<WorkerReply> Await(WorkerProcess& worker) {
    while (true) {
      Result<std::optional<WorkerReply>> reply = worker.Receive();
      if (!reply.ok()) return reply.error();
      if (reply->has_value()) return std::move(**reply);
      zmq_pollitem_t item{worker.zmq_handle(), 0, ZMQ_POLLIN, 0};
      zmq_poll(&item, 1, 20);
    }
  }
  template <typename Reply>
  static Reply Ask(WorkerProcess& worker, const WorkerRequest& request) {
    EXPECT_TRUE(worker.Send(request).ok());
    Result<WorkerReply> reply = Await(worker);
    if (!reply.ok()) {
      ADD_FAILURE() << reply.error().message;
      return {};
    }
    auto* wanted = std::get_if<Reply>(&*reply);
    if (wanted == nullptr) {
      const auto* failed = std::get_if<FailedReply>(&*reply);
      ADD_FAILURE() << "another reply " << (failed != nullptr ? failed->error.message : "");
      return {};
    }
    return std::move(*wanted);
  }
  OpenSiteRequest Opening(const RunOffer& offer) const { return {kRun, offer, {records_, "drop"}}; }
  static AnswerRequest Histogram(std::uint32_t attempt) {
    return {QueryName{kRun, 0, attempt}, std::make_shared<const Query>()};
  }

  void* context_;
  std::string socket_path_ = PrivateFolder() + "/worker.sock";
  std::string records_ = testing::WriteWardFile(200, 4);
};

TEST_F(WorkerProcesses, ResolveReviewOpenAndAnswer) {
  const std::unique_ptr<WorkerProcess> worker = Start(RealWorker());
  const auto resolved = Ask<ResolveReply>(*worker, testing::WardResolve());
  EXPECT_TRUE(Ask<ReviewReply>(*worker, ReviewRequest{resolved.offer}).plan_matches);
  EXPECT_THAT(Ask<OpenSiteReply>(*worker, Opening(resolved.offer)).report, Not(HasSubstr(testing::kSecretCell)));
  EXPECT_FALSE(Ask<AnswerReply>(*worker, Histogram(0)).words.empty());
  EXPECT_EQ(worker->waiting(), 0U);
  EXPECT_TRUE(worker->Running());
}

TEST_F(WorkerProcesses, RepliesComeInTheOrderOfRequests) {
  const std::unique_ptr<WorkerProcess> worker = Start(RealWorker());
  const RunOffer offer = Ask<ResolveReply>(*worker, testing::WardResolve()).offer;
  ASSERT_TRUE(worker->Send(Opening(offer)).ok());
  for (std::uint32_t attempt = 0; attempt < 50; ++attempt) ASSERT_TRUE(worker->Send(Histogram(attempt)).ok());
  EXPECT_EQ(worker->waiting(), 51U);
  ASSERT_TRUE(Await(*worker).ok());
  for (std::uint32_t attempt = 0; attempt < 50; ++attempt) {
    const Result<WorkerReply> reply = Await(*worker);
    ASSERT_TRUE(reply.ok());
    EXPECT_EQ(std::get<AnswerReply>(*reply).name.attempt, attempt);
  }
}

TEST_F(WorkerProcesses, LeaveTheDaemonWithoutLibTorchAndWithoutADataSource) {
  const std::unique_ptr<WorkerProcess> worker = Start(RealWorker());
  const RunOffer offer = Ask<ResolveReply>(*worker, testing::WardResolve()).offer;
  Ask<OpenSiteReply>(*worker, Opening(offer));
  Ask<AnswerReply>(*worker, Histogram(0));
  const std::string own = TextOf("/proc/self/maps");
  EXPECT_THAT(own, HasSubstr("libzmq")) << "the maps were not read";
  for (const char* library : {"torch", "libc10", "libcsv", "synod_compute"}) EXPECT_THAT(own, Not(HasSubstr(library)));
  const std::string child = TextOf("/proc/" + std::to_string(worker->process_id()) + "/maps");
  EXPECT_THAT(child, HasSubstr("libcsv"));
  EXPECT_THAT(child, Not(HasSubstr("torch"))) << "this family needs none";
}

TEST_F(WorkerProcesses, HaveOneSocketNoInheritedFileAndPatientThreads) {
  const int leak = dup(1);  // what a careless daemon leaves open
  const std::unique_ptr<WorkerProcess> worker = Start(RealWorker());
  const std::string process = "/proc/" + std::to_string(worker->process_id());
  int sockets = 0;
  for (const auto& entry : std::filesystem::directory_iterator(process + "/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (target.starts_with("socket:")) ++sockets;
    const int number = std::stoi(entry.path().filename().string());
    EXPECT_TRUE(number != 0 || target == "/dev/null") << target;
    EXPECT_TRUE(number <= 2 || target.starts_with("socket:") || target.starts_with("anon_inode:")) << target;
  }
  EXPECT_EQ(sockets, 1);
  EXPECT_THAT(TextOf(process + "/environ"), HasSubstr("OMP_WAIT_POLICY=passive"));
  EXPECT_THAT(TextOf(process + "/limits"), ::testing::ContainsRegex("Max core file size +0 +0"));
  close(leak);
}

TEST_F(WorkerProcesses, AWorkerThatIsKilledInTheMiddleIsAnErrorAndItsSuccessorGoesOn) {
  std::unique_ptr<WorkerProcess> worker = Start(RealWorker());
  const RunOffer offer = Ask<ResolveReply>(*worker, testing::WardResolve()).offer;
  Ask<OpenSiteReply>(*worker, Opening(offer));
  ASSERT_TRUE(KeepBusy(*worker).ok());
  kill(static_cast<pid_t>(worker->process_id()), SIGKILL);
  Result<WorkerReply> reply = Await(*worker);
  while (reply.ok()) reply = Await(*worker);
  EXPECT_THAT(reply.error().message, HasSubstr("signal 9"));
  EXPECT_FALSE(worker->Running());
  EXPECT_FALSE(worker->Send(Histogram(0)).ok());
  EXPECT_FALSE(worker->Receive().ok()) << "the end stays an error";
  worker = nullptr;

  worker = Start(RealWorker());  // at the same place
  Ask<OpenSiteReply>(*worker, Opening(offer));
  EXPECT_FALSE(Ask<AnswerReply>(*worker, Histogram(0)).words.empty());
}

TEST_F(WorkerProcesses, AreKilledAtTheFailPointThatATestNames) {
  const std::string marker = PrivateFolder() + "/marker";
  const std::vector<std::string> streams = {"--seed", "3", "--site", "site-a"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), streams.begin(), streams.end());
    return more;
  };
  std::unique_ptr<WorkerProcess> worker = Start(TestWorkerProgram(), streams);
  const RunOffer offer = Ask<ResolveReply>(*worker, testing::WardResolve()).offer;
  Ask<OpenSiteReply>(*worker, Opening(offer));
  const Bytes first = Ask<AnswerReply>(*worker, Histogram(0)).words;
  const Bytes second = Ask<AnswerReply>(*worker, Histogram(1)).words;
  EXPECT_NE(first, second);
  worker = nullptr;

  worker = Start(TestWorkerProgram(),
                 with({"--kill-at", "worker_before_answer", "--kill-count", "2", "--kill-marker", marker}));
  Ask<OpenSiteReply>(*worker, Opening(offer));
  EXPECT_EQ(Ask<AnswerReply>(*worker, Histogram(0)).words, first) << "the streams of tests repeat";
  ASSERT_TRUE(worker->Send(Histogram(1)).ok());
  EXPECT_FALSE(Await(*worker).ok());
  EXPECT_TRUE(std::filesystem::exists(marker));
  worker = nullptr;

  // The marker is there: nobody is killed any more, and the answer is the one that never came.
  worker = Start(TestWorkerProgram(),
                 with({"--kill-at", "worker_before_answer", "--kill-count", "1", "--kill-marker", marker}));
  Ask<OpenSiteReply>(*worker, Opening(offer));
  EXPECT_EQ(Ask<AnswerReply>(*worker, Histogram(1)).words, second);
}

// A query of training whose one sum takes LibTorch a while.
AnswerRequest Gradient(const RunOffer& offer, std::size_t parameters) {
  Query query;
  query.entry = 1;
  query.kind = QueryKind::kGradient;
  const std::size_t cells = Plan::FromCanonicalText(offer.plan).value().entries()[0].dimension;
  query.context.assign(cells + 2, 1.0F);
  query.context[1] = 0.0F;  // the clip does not adapt
  query.parameters.assign(parameters, 0.01F);
  return {QueryName{kRun, 0, 0}, std::make_shared<const Query>(std::move(query))};
}

TEST_F(WorkerProcesses, LibTorchIsInTheWorkerAloneAndMayBeKilledInTheMiddleOfASum) {
  if (!std::filesystem::exists(std::string(SYNOD_BINARY_DIR) + "/lib/libsynod_compute.so")) {
    GTEST_SKIP() << "built without LibTorch";
  }
  std::unique_ptr<WorkerProcess> worker = Start(RealWorker());
  const ResolveRequest training = testing::WardResolve(testing::WardSpecification(
      "family = \"table_diffusion\"\nsteps = 5\nbatch = 800\nhidden = 256\nlevels_per_row = 32\n"));
  const RunOffer offer = Ask<ResolveReply>(*worker, training).offer;
  const std::size_t parameters = Ask<ReviewReply>(*worker, ReviewRequest{offer}).parameters;
  Ask<OpenSiteReply>(*worker, Opening(offer));
  EXPECT_FALSE(Ask<AnswerReply>(*worker, Gradient(offer, parameters)).words.empty());
  EXPECT_THAT(TextOf("/proc/" + std::to_string(worker->process_id()) + "/maps"), HasSubstr("libtorch"));
  EXPECT_THAT(TextOf("/proc/self/maps"), Not(HasSubstr("torch")));
  Ask<AnswerMalformedReply>(*worker, Gradient(offer, parameters + 1));

  for (int i = 0; i < 50; ++i) ASSERT_TRUE(worker->Send(Gradient(offer, parameters)).ok());
  ASSERT_TRUE(Await(*worker).ok());
  worker->Kill();  // as on abort
  EXPECT_FALSE(worker->Running());
  worker = Start(RealWorker());
  Ask<OpenSiteReply>(*worker, Opening(offer));
  EXPECT_FALSE(Ask<AnswerReply>(*worker, Gradient(offer, parameters)).words.empty());
}

// Runs in a child: a daemon that starts a worker, says its process id and then waits for its own end.
[[noreturn]] void BeADaemon(const std::string& socket_path, int report) {
  void* context = zmq_ctx_new();
  Result<std::unique_ptr<WorkerProcess>> worker =
      WorkerProcess::Start(context, {RealWorker(), socket_path, 1, "auto", {}});
  const std::int64_t id = worker.ok() && KeepBusy(**worker).ok() ? (*worker)->process_id() : -1;
  if (write(report, &id, sizeof id) != sizeof id) _exit(1);
  while (true) pause();
}

TEST_F(WorkerProcesses, AWorkerEndsWithItsDaemon) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // the worker becomes our child when its daemon is gone: we see how it ends
  int report[2];
  ASSERT_EQ(pipe(report), 0);
  const pid_t daemon = fork();
  if (daemon == 0) BeADaemon(socket_path_, report[1]);
  std::int64_t worker = -1;
  ASSERT_EQ(read(report[0], &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
  ASSERT_GT(worker, 0);
  EXPECT_EQ(kill(static_cast<pid_t>(worker), 0), 0) << "it runs while its daemon does";
  kill(daemon, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(daemon, &status, 0), daemon);
  ASSERT_EQ(waitpid(static_cast<pid_t>(worker), &status, 0), worker);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "busy as it is, it has no say in it";
  close(report[0]);
  close(report[1]);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_F(WorkerProcesses, AWorkerEndsWhenItsDaemonClosesThePair) {
  std::unique_ptr<PairSocket> pair = PairSocket::Bind(context_, socket_path_).value();
  ChildProcess worker = ChildProcess::Start({RealWorker(), {"--socket", socket_path_}, "", {}}).value();
  zmq_pollitem_t item{pair->handle(), 0, ZMQ_POLLIN, 0};
  ASSERT_EQ(zmq_poll(&item, 1, 10000), 1);
  ASSERT_TRUE(pair->Receive()->has_value());
  pair = nullptr;
  EXPECT_TRUE(worker.WaitFor(10.0));
  EXPECT_EQ(worker.exit_code(), 0);
}

TEST_F(WorkerProcesses, GarbageIsAnsweredWithAnErrorAndTheNextRequestWorks) {
  std::unique_ptr<PairSocket> pair = PairSocket::Bind(context_, socket_path_).value();
  ChildProcess worker = ChildProcess::Start({RealWorker(), {"--socket", socket_path_}, "", {}}).value();
  zmq_pollitem_t item{pair->handle(), 0, ZMQ_POLLIN, 0};
  const auto next = [&]() -> WorkerParts {
    zmq_poll(&item, 1, 10000);
    return pair->Receive().value().value_or(WorkerParts{});
  };
  EXPECT_THAT(next().header, HasSubstr("synod-worker"));
  ASSERT_TRUE(pair->Send({"{\"type\": \"answer\", \"words\": 9999999999999}", Bytes(1000, 7)}).ok());
  EXPECT_THAT(next().header, HasSubstr("failed"));
  ASSERT_TRUE(pair->Send(EncodeRequest(testing::WardResolve())).ok());
  EXPECT_THAT(next().header, HasSubstr("resolved"));
}

TEST_F(WorkerProcesses, WhatIsNoWorkerIsRefusedAtTheStart) {
  const auto error = [&](const WorkerProcess::Settings& settings) {
    const auto started = WorkerProcess::Start(context_, settings);
    return started.ok() ? std::string() : started.error().message;
  };
  EXPECT_THAT(error(Settings("/no/such/program")), HasSubstr("/no/such/program"));
  EXPECT_THAT(error(Settings("/bin/false")), HasSubstr("exit code 1"));
  EXPECT_THAT(error(Settings(RealWorker(), {"--frobnicate"})), HasSubstr("exit code 4"));
  WorkerProcess::Settings settings = Settings(RealWorker());
  settings.socket_path = PrivateFolder() + "/" + std::string(200, 'x');
  EXPECT_THAT(error(settings), HasSubstr("path"));
  settings.socket_path = "/no/such/folder/worker.sock";
  EXPECT_THAT(error(settings), HasSubstr("/no/such/folder"));
}

TEST_F(WorkerProcesses, AFolderThatOthersMayEnterIsRefused) {
  const std::string folder = testing::TemporaryFolder();
  chmod(folder.c_str(), 0750);
  WorkerProcess::Settings settings = Settings(RealWorker());
  settings.socket_path = folder + "/worker.sock";
  const auto started = WorkerProcess::Start(context_, settings);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(started.error().message, HasSubstr(folder));
}

TEST_F(WorkerProcesses, RunByHandItSaysWhoStartsIt) {
  const std::string output = PrivateFolder() + "/output";
  ChildProcess worker = ChildProcess::Start({RealWorker(), {}, output, {}}).value();
  ASSERT_TRUE(worker.WaitFor(10.0));
  EXPECT_EQ(worker.exit_code(), 4);
  EXPECT_THAT(TextOf(output), HasSubstr("synod-site"));
  ChildProcess lost = ChildProcess::Start({RealWorker(), {"--socket", "/no/such/socket"}, output, {}}).value();
  ASSERT_TRUE(lost.WaitFor(20.0));
  EXPECT_EQ(lost.exit_code(), 2);
}

TEST(WorkerProgram, LiesBesideTheDaemon) {
  EXPECT_THAT(WorkerProgramBesideThis(), ::testing::EndsWith("/tests/synod-worker"));
}

}  // namespace
}  // namespace synod
