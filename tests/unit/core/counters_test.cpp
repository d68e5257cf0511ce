#include "core/counters.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace qylon {
namespace {

TEST(Counters, RenderPrometheusTextWithOneHeaderPerName) {
  Counters counters;
  counters.counter("frames_total", "Frames.", R"({reason="late"})").add(2);
  counters.counter("frames_total", "Frames.", R"({reason="lost"})").add();
  counters.gauge("meetings", "Now.").set(-1);
  EXPECT_EQ(counters.render(),
            "# HELP frames_total Frames.\n"
            "# TYPE frames_total counter\n"
            "frames_total{reason=\"late\"} 2\n"
            "frames_total{reason=\"lost\"} 1\n"
            "# HELP meetings Now.\n"
            "# TYPE meetings gauge\n"
            "meetings -1\n");
}

TEST(Counters, HistogramBucketsAreCumulativeAndIncludeTheirBound) {
  Counters counters;
  Histogram& histogram = counters.histogram("delay_ms", "Delay.", {1.0, 2.5});
  for (const double value : {0.5, 1.0, 2.0, 9.0})
    histogram.observe(value);
  EXPECT_EQ(counters.render(),
            "# HELP delay_ms Delay.\n"
            "# TYPE delay_ms histogram\n"
            "delay_ms_bucket{le=\"1\"} 2\n"
            "delay_ms_bucket{le=\"2.5\"} 3\n"
            "delay_ms_bucket{le=\"+Inf\"} 4\n"
            "delay_ms_sum 12.5\n"
            "delay_ms_count 4\n");
}

TEST(Counters, OfOneNameStandTogetherWheneverTheyCame) {
  Counters counters;
  counters.counter("a", "A.", R"({x="1"})");
  counters.counter("b", "B.");
  counters.counter("a", "A.", R"({x="2"})");
  EXPECT_EQ(counters.render(),
            "# HELP a A.\n# TYPE a counter\na{x=\"1\"} 0\na{x=\"2\"} 0\n"
            "# HELP b B.\n# TYPE b counter\nb 0\n");
}

TEST(Counters, HistogramsHaveLabelsToo) {
  Counters counters;
  counters.histogram("t", "T.", {1.0}, R"({x="1"})").observe(0.5);
  EXPECT_EQ(counters.render(),
            "# HELP t T.\n# TYPE t histogram\n"
            "t_bucket{x=\"1\",le=\"1\"} 1\nt_bucket{x=\"1\",le=\"+Inf\"} 1\n"
            "t_sum{x=\"1\"} 0.5\nt_count{x=\"1\"} 1\n");
}

TEST(Counters, TheSameNameAndLabelsAreTheSameMetric) {
  Counters counters;
  EXPECT_EQ(&counters.counter("a", "A."), &counters.counter("a", "A."));
  EXPECT_NE(&counters.counter("a", "A."), &counters.counter("a", "A.", "{b=\"c\"}"));
}

TEST(Counters, LoseNothingAcrossThreads) {
  Counters counters;
  Counter& counter = counters.counter("a", "A.");
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&counter] {
        for (int i = 0; i < 10'000; ++i)
          counter.add();
      });
    }
  }
  EXPECT_EQ(counter.value(), 40'000U);
}

}  // namespace
}  // namespace qylon
