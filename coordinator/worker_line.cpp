#include "coordinator/worker_line.h"

#include <algorithm>

namespace synod {

WorkerLine::WorkerLine(WorkerProcess::Settings settings, Ports ports)
    : settings_(std::move(settings)), ports_(std::move(ports)) {}

WorkerLine::~WorkerLine() {
  Drop();
}

void WorkerLine::Send(WorkerRequest request) {
  waiting_.push_back(std::move(request));
  Flush();
}

void WorkerLine::Kill() {
  Drop();
  waiting_.clear();
  pause_seconds_ = 0.0;
  not_before_ = 0.0;
}

void WorkerLine::Drop() {
  if (process_ == nullptr) return;
  ports_.loop.Unwatch(process_->zmq_handle());
  process_->Kill();
  process_.reset();
}

void WorkerLine::Lose(const Error& error) {
  Drop();
  waiting_.clear();
  pause_seconds_ = pause_seconds_ == 0.0 ? kFirstPauseSeconds : std::min(2.0 * pause_seconds_, kMaxPauseSeconds);
  not_before_ = ports_.clock.MonotonicSeconds() + pause_seconds_;
  ports_.on_lost(error);
}

void WorkerLine::Flush() {
  if (waiting_.empty() || ports_.clock.MonotonicSeconds() < not_before_) return;
  if (process_ == nullptr) {
    Result<std::unique_ptr<WorkerProcess>> started = WorkerProcess::Start(ports_.zmq_context, settings_);
    if (!started.ok()) return Lose(started.error());
    process_ = std::move(*started);
    ports_.loop.Watch(process_->zmq_handle(), [this] { OnReadable(); });
  }
  while (!waiting_.empty()) {
    const Status sent = process_->Send(waiting_.front());
    if (!sent.ok()) return Lose(sent.error());
    waiting_.pop_front();
  }
}

void WorkerLine::OnReadable() {
  while (process_ != nullptr) {
    Result<std::optional<WorkerReply>> reply = process_->Receive();
    if (!reply.ok()) return Lose(reply.error());
    if (!reply->has_value()) return;
    pause_seconds_ = 0.0;
    ports_.on_reply(std::move(**reply));
  }
}

void WorkerLine::Tick() {
  if (process_ != nullptr) OnReadable();
  if (process_ != nullptr && !process_->Running()) Lose(Failed("the worker ended"));
  Flush();
}

}  // namespace synod
