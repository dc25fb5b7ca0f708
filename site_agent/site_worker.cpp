#include "site_agent/site_worker.h"

#include <utility>

namespace synod {

SiteWorker::SiteWorker(WorkerProcess::Settings settings, Ports ports)
    : settings_(std::move(settings)), ports_(std::move(ports)) {}

SiteWorker::~SiteWorker() {
  End();
}

Status SiteWorker::Send(const WorkerRequest& request) {
  if (process_ == nullptr) {
    SYNOD_ASSIGN_OR_RETURN(process_, WorkerProcess::Start(ports_.zmq_context, settings_));
    ports_.loop.Watch(process_->zmq_handle(), [this] { Look(); });
  }
  const Status sent = process_->Send(request);
  if (!sent.ok()) End();
  return sent;
}

void SiteWorker::End() {
  if (process_ == nullptr) return;
  ports_.loop.Unwatch(process_->zmq_handle());
  process_->Kill();
  process_.reset();
}

void SiteWorker::Lose(const Error& error) {
  End();
  ports_.on_lost(error);
}

void SiteWorker::Look() {
  // What is called back may end this process and start another.
  while (process_ != nullptr) {
    const bool running = process_->Running();
    Result<std::optional<WorkerReply>> reply = process_->Receive();
    if (!reply.ok()) return Lose(reply.error());
    if (reply->has_value()) {
      ports_.on_reply(std::move(**reply));
      continue;
    }
    if (!running) Lose(Failed("the worker ended"));
    return;
  }
}

}  // namespace synod
