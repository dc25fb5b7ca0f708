#include "common/net/event_loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <thread>
#include <zmq.hpp>

namespace synod {
namespace {

struct SocketPair {
  zmq::context_t context{1};
  zmq::socket_t left{context, zmq::socket_type::pair};
  zmq::socket_t right{context, zmq::socket_type::pair};
  SocketPair() {
    left.bind("inproc://event-loop-test");
    right.connect("inproc://event-loop-test");
  }
};

// Takes what has come: a socket that stays readable is called again.
std::string Take(zmq::socket_t& socket) {
  zmq::message_t message;
  return socket.recv(message, zmq::recv_flags::dontwait) ? message.to_string() : "";
}

TEST(EventLoop, CallsWhatBecameReadable) {
  SystemClock clock;
  auto loop = EventLoop::Create(clock, {});
  ASSERT_TRUE(loop.ok());
  SocketPair pair;
  std::string got;
  (*loop)->Watch(pair.left.handle(), [&] {
    got += Take(pair.left);
    if (got == "ab") (*loop)->Stop();
  });
  pair.right.send(zmq::str_buffer("a"), zmq::send_flags::none);
  pair.right.send(zmq::str_buffer("b"), zmq::send_flags::none);
  ASSERT_TRUE((*loop)->Run().ok());
  EXPECT_EQ(got, "ab");
}

TEST(EventLoop, CallsForADescriptorThatCanBeRead) {
  SystemClock clock;
  auto loop = EventLoop::Create(clock, {});
  ASSERT_TRUE(loop.ok());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  int calls = 0;
  (*loop)->Watch(ends[0], [&] {
    char byte = 0;
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    if (++calls < 2) return;
    (*loop)->Unwatch(ends[0]);
    (*loop)->Stop();
  });
  ASSERT_EQ(write(ends[1], "ab", 2), 2);
  ASSERT_TRUE((*loop)->Run().ok());
  EXPECT_EQ(calls, 2);
  close(ends[0]);
  close(ends[1]);
}

TEST(EventLoop, CallsATimerWhenItIsDueAndNotBefore) {
  SystemClock clock;
  auto loop = EventLoop::Create(clock, {});
  ASSERT_TRUE(loop.ok());
  const double due_at = clock.MonotonicSeconds() + 0.05;
  double called_at = 0.0;
  (*loop)->AddTimer([] { return INFINITY; }, [] { FAIL() << "a timer that is never due was called"; });
  (*loop)->AddTimer([&] { return due_at; },
                    [&] {
                      called_at = clock.MonotonicSeconds();
                      (*loop)->Stop();
                    });
  ASSERT_TRUE((*loop)->Run().ok());
  EXPECT_GE(called_at, due_at);
}

TEST(EventLoop, SignalsArriveInTheLoopAndAreGivenBackAfterwards) {
  SystemClock clock;
  {
    auto loop = EventLoop::Create(clock, {SIGUSR1, SIGUSR2});
    ASSERT_TRUE(loop.ok());
    std::vector<int> got;
    (*loop)->OnSignal([&](int signal) {
      got.push_back(signal);
      if (got.size() == 2) (*loop)->Stop();
    });
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    ASSERT_TRUE((*loop)->Run().ok());
    EXPECT_EQ(got, (std::vector<int>{SIGUSR1, SIGUSR2}));
  }
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGUSR1), 0);
}

TEST(EventLoop, ACallbackMayUnwatchAnotherSocketThatIsReadyToo) {
  SystemClock clock;
  auto loop = EventLoop::Create(clock, {});
  ASSERT_TRUE(loop.ok());
  zmq::context_t context{1};
  std::vector<std::unique_ptr<zmq::socket_t>> readers;
  std::vector<std::unique_ptr<zmq::socket_t>> writers;
  int calls = 0;
  for (int i = 0; i < 2; ++i) {
    const std::string address = "inproc://unwatch-" + std::to_string(i);
    readers.push_back(std::make_unique<zmq::socket_t>(context, zmq::socket_type::pair));
    readers.back()->bind(address);
    writers.push_back(std::make_unique<zmq::socket_t>(context, zmq::socket_type::pair));
    writers.back()->connect(address);
    writers.back()->send(zmq::str_buffer("x"), zmq::send_flags::none);
  }
  for (int i = 0; i < 2; ++i) {
    (*loop)->Watch(readers[i]->handle(), [&] {
      ++calls;
      for (const auto& reader : readers) (*loop)->Unwatch(reader->handle());
    });
  }
  const double end = clock.MonotonicSeconds() + 0.02;
  (*loop)->AddTimer([&] { return end; }, [&] { (*loop)->Stop(); });
  ASSERT_TRUE((*loop)->Run().ok());
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace synod
