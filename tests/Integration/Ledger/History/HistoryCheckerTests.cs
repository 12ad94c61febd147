using System.Diagnostics;

namespace LocalPlus.Tests.Integration.Ledger.History;

/// <summary>The checker itself: histories whose verdict is known.</summary>
public sealed class HistoryCheckerTests
{
    [Fact]
    public void A_serial_history_has_no_anomaly() =>
        Assert.Empty(
            HistoryChecker.Find(
                [new("t1", "a", 1), new("t1", "b", 1), new("t2", "a", 2), new("t2", "b", 2)],
                Times(("t1", 0, 1), ("t2", 2, 3)),
                [new("r1", new(1, 2), [("a", 1), ("b", 1)]), new("r2", new(4, 5), [("a", 2), ("b", 2)])]
            )
        );

    [Fact]
    public void What_overlaps_may_be_seen_either_way() =>
        Assert.Empty(
            HistoryChecker.Find(
                [new("t1", "a", 1)],
                Times(("t1", 0, 10)),
                [new("r1", new(1, 2), [("a", 1)]), new("r2", new(3, 4), [("a", 1)])]
            )
        );

    [Fact]
    public void Writes_in_two_orders_are_G0() =>
        Expect("G0", [new("t1", "a", 1), new("t2", "a", 2), new("t2", "b", 1), new("t1", "b", 2)], Times(), []);

    [Fact]
    public void A_read_between_two_writes_that_both_precede_it_is_G_single() =>
        Expect(
            "G-single",
            [new("t1", "a", 1), new("t1", "b", 1)],
            Times(),
            [new("r1", new(0, 9), [("a", 1), ("b", 0)])]
        );

    [Fact]
    public void Two_reads_that_miss_each_others_writes_are_G2() =>
        Expect(
            "G2",
            [new("t1", "a", 1), new("t2", "b", 1)],
            Times(),
            [new("r1", new(0, 9), [("a", 1), ("b", 0)]), new("r2", new(0, 9), [("a", 0), ("b", 1)])]
        );

    [Fact]
    public void A_read_that_misses_what_was_acknowledged_before_it_is_a_realtime_anomaly() =>
        Expect("G-single-realtime", [new("t1", "a", 1)], Times(("t1", 0, 1)), [new("r1", new(2, 3), [("a", 0)])]);

    [Fact]
    public void A_version_that_nobody_wrote_is_G1a() =>
        Expect("G1a", [new("t1", "a", 1)], Times(), [new("r1", new(0, 1), [("a", 2)])]);

    [Fact]
    public void Two_writers_of_one_version_are_a_lost_update() =>
        Expect("lost update", [new("t1", "a", 1), new("t2", "a", 1)], Times(), []);

    [Fact]
    public void A_hundred_thousand_operations_take_seconds_and_not_hours()
    {
        const int count = 100_000;
        List<Write> writes =
        [
            .. Enumerable
                .Range(0, count)
                .SelectMany(i => new Write[] { new($"t{i}", $"a{i % 50}", (i / 50) + 1), new($"t{i}", "hot", i + 1) }),
        ];
        var times = Enumerable
            .Range(0, count)
            .ToDictionary(i => $"t{i}", i => new Interval(i * 10, (i * 10) + 35), StringComparer.Ordinal);
        var clock = Stopwatch.StartNew();

        Assert.Empty(HistoryChecker.Find(writes, times, [new("r", new(count * 20, count * 20), [("hot", count)])]));

        Assert.InRange(clock.Elapsed.TotalMinutes, 0, 2);
    }

    private static void Expect(string kind, Write[] writes, Dictionary<string, Interval> times, Read[] reads) =>
        Assert.Equal(kind, Assert.Single(HistoryChecker.Find(writes, times, reads)).Kind);

    private static Dictionary<string, Interval> Times(params (string Name, long Start, long End)[] times) =>
        times.ToDictionary(t => t.Name, t => new Interval(t.Start, t.End), StringComparer.Ordinal);
}
