using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Dapr.Client;
using LocalPlus.Hosting;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LocalPlus.Tests.Integration.Hosting;

/// <summary>
/// Tasks on a real database: what is asked for is done, by whoever lives; what fails for good is kept and told; what
/// hangs or fails costs the others nothing (T13).
/// </summary>
public sealed class TaskTests : IAsyncLifetime
{
    private static readonly ServiceIdentity Service = new("hosting", typeof(TaskTests).Assembly);
    private readonly OutboxSignal signal = new();
    private readonly DaprClient nobody = new DaprClientBuilder().UseGrpcEndpoint("http://127.0.0.1:9").Build();
    private TestDatabase database = null!;
    private NpgsqlDataSource source = null!;

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("hosting", typeof(TaskTests).Assembly);
        TypeHandlers.Register();
        source = NpgsqlDataSource.Create(database.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        nobody.Dispose();
        await source.DisposeAsync();
        await database.DisposeAsync();
        signal.Dispose();
    }

    [Fact]
    public async Task A_task_is_done_after_its_commit_and_never_without()
    {
        var hand = new Hand("count", WorkQueue.Default);
        await using var crew = await CrewAsync(hand);
        await using (var db = await Open().BeginAsync(default))
        {
            await crew.Queue.AddAsync(db, new NewTask("count", new { n = 1 }));
        }

        var id = await AddAsync(crew, new NewTask("count", new { n = 2 }));
        await StateAsync(id, "done");
        Assert.Equal([2], hand.Seen);
        Assert.Equal(
            """{"n": 2}""",
            await ScalarAsync<string>($"SELECT result::text FROM tasks WHERE task_id = '{id}'")
        );
    }

    [Fact]
    public async Task Each_of_many_is_done_once_by_two_processes()
    {
        var (one, two) = (new Hand("count", WorkQueue.Default), new Hand("count", WorkQueue.Default));
        await using var first = await CrewAsync(one);
        await using var second = await CrewAsync(two);
        await using (var db = await Open().BeginAsync(default))
        {
            foreach (var n in Enumerable.Range(0, 500))
            {
                await first.Queue.AddAsync(db, new NewTask("count", new { n }));
            }

            await db.CommitAsync();
        }

        await Eventually.TrueAsync(async () =>
            await ScalarAsync<long>("SELECT count(*) FROM tasks WHERE state = 'done'") == 500
        );
        Assert.Equal(Enumerable.Range(0, 500), one.Seen.Concat(two.Seen).Order());
    }

    [Fact]
    public async Task Fault_13_A_poison_task_starves_nobody_is_kept_and_is_replayed_when_it_is_mended()
    {
        var good = new Hand("good", WorkQueue.Low);
        var poison = new Hand("poison", WorkQueue.Low) { Fails = true, Retry = TaskRetry.Fixed };
        await using var crew = await CrewAsync(good, poison);
        var bad = await AddAsync(
            crew,
            new NewTask(
                "poison",
                new
                {
                    n = 1,
                    pin = "4711",
                    nested = new { email = "a@b.c" },
                }
            )
        );
        foreach (var n in Enumerable.Range(0, 100))
        {
            await AddAsync(crew, new NewTask("good", new { n }));
        }

        await Eventually.TrueAsync(() => good.Seen.Count == 100);
        for (var attempt = 1; attempt <= 6; attempt++)
        {
            await Eventually.TrueAsync(() => poison.Tries == attempt);
            await Eventually.TrueAsync(async () =>
                await ScalarAsync<string>($"SELECT state FROM tasks WHERE task_id = '{bad}'") != "running"
            );
            await SoonAsync(crew, WorkQueue.Low);
        }

        await StateAsync(bad, "dead");
        var letter = JsonSerializer.Deserialize<JsonElement>(
            await ScalarAsync<byte[]>("SELECT body FROM dead_letters WHERE topic = 'tasks.hosting'")
        );
        Assert.Equal(
            ("low", "poison", 6, "InvalidOperationException", "***", "***"),
            (
                letter.GetProperty("queue").GetString(),
                letter.GetProperty("kind").GetString(),
                letter.GetProperty("attempts").GetInt32(),
                letter.GetProperty("reason").GetString(),
                letter.GetProperty("payload").GetProperty("pin").GetString(),
                letter.GetProperty("payload").GetProperty("nested").GetProperty("email").GetString()
            )
        );
        Assert.Contains("RunAsync", letter.GetProperty("stack").GetString(), StringComparison.Ordinal);

        poison.Fails = false;
        Assert.True(await crew.Store.ReviveAsync(bad, default));
        crew.Bell.Here("low");
        await StateAsync(bad, "done");
        Assert.False(await crew.Store.ReviveAsync(bad, default));
    }

    [Fact]
    public async Task Fault_13_Tasks_that_hang_keep_their_own_queue_and_no_other()
    {
        var hanging = new Hand("hanging", WorkQueue.Low) { Hangs = true };
        var urgent = new Hand("urgent", WorkQueue.Critical);
        await using var crew = await CrewAsync(hanging, urgent);
        foreach (var n in Enumerable.Range(0, 50))
        {
            await AddAsync(crew, new NewTask("hanging", new { n }));
        }

        await Eventually.TrueAsync(() => hanging.Tries == WorkQueue.Low.Workers);
        await StateAsync(await AddAsync(crew, new NewTask("urgent", new { n = 1 })), "done");
        Assert.Equal(WorkQueue.Low.Workers, hanging.Tries);
    }

    [Fact]
    public async Task What_a_killed_worker_had_is_done_by_another_and_what_it_writes_late_is_not_believed()
    {
        var hand = new Hand("count", WorkQueue.Default);
        await using var crew = await CrewAsync(hand, started: false);
        var id = await AddAsync(crew, new NewTask("count", new { n = 7 }));
        var dead = Assert.Single(await crew.Store.TakeAsync(WorkQueue.Default, ["count"], 10, default));
        Assert.Empty(await crew.Store.TakeAsync(WorkQueue.Default, ["count"], 10, default));
        await crew.StartAsync();
        await SoonAsync(crew, WorkQueue.Default);
        await StateAsync(id, "done");
        Assert.Equal([7], hand.Seen);
        Assert.False(await crew.Store.FailAsync(dead, null, new InvalidOperationException("late")));
        Assert.Equal(0, await ScalarAsync<long>("SELECT count(*) FROM dead_letters"));
    }

    [Fact]
    public async Task A_task_that_kills_its_process_each_time_is_not_given_another()
    {
        var hand = new Hand("killer", WorkQueue.Default) { Retry = TaskRetry.None };
        await using var crew = await CrewAsync(hand, started: false);
        var id = await AddAsync(crew, new NewTask("killer", new { n = 1 }));
        Assert.Single(await crew.Store.TakeAsync(WorkQueue.Default, ["killer"], 1, default));
        await crew.StartAsync();
        await SoonAsync(crew, WorkQueue.Default);
        await StateAsync(id, "dead");
        Assert.Empty(hand.Seen);
        Assert.Equal("TaskAbandonedException", await ScalarAsync<string>("SELECT last_error FROM tasks"));
    }

    [Fact]
    public async Task A_process_that_stops_gives_back_what_does_not_end_in_time()
    {
        var slow = new Hand("slow", WorkQueue.High) { Hangs = true };
        var crew = await CrewAsync(slow);
        var id = await AddAsync(crew, new NewTask("slow", new { n = 1 }));
        await Eventually.TrueAsync(() => slow.Tries == 1);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await crew.DisposeAsync();
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 10);
        await StateAsync(id, "waiting");
        Assert.Equal(0, await ScalarAsync<int>("SELECT attempts FROM tasks"));
        slow.Hangs = false;
        await using var next = await CrewAsync(slow);
        await StateAsync(id, "done");
    }

    [Fact]
    public async Task A_key_is_one_task_and_one_that_runs_is_run_once_more()
    {
        var hand = new Hand("keyed", WorkQueue.Default) { Hangs = true };
        await using var crew = await CrewAsync(hand, started: false);
        var task = new NewTask("keyed", new { n = 1 }) { DedupKey = "a" };
        var id = await AddAsync(crew, task);
        Assert.Equal(id, await AddAsync(crew, task));
        await crew.StartAsync();
        crew.Bell.Here("default");
        await Eventually.TrueAsync(() => hand.Tries == 1);
        Assert.Equal(id, await AddAsync(crew, task));
        hand.Release();
        await StateAsync(id, "done");
        Assert.Equal(2, hand.Tries);
        Assert.NotEqual(id, await AddAsync(crew, task));
    }

    [Fact]
    public async Task A_task_is_cancelled_while_it_waits_and_between_its_pieces()
    {
        var pieces = new Hand("pieces", WorkQueue.Default) { Pieces = int.MaxValue };
        await using var crew = await CrewAsync(pieces);
        var later = await AddAsync(
            crew,
            new NewTask("pieces", new { n = 1 }) { DueAt = TimeProvider.System.GetUtcNow().AddDays(1) }
        );
        Assert.True(await CancelAsync(later));
        await StateAsync(later, "cancelled");
        var id = await AddAsync(crew, new NewTask("pieces", new { n = 2 }));
        await Eventually.TrueAsync(() => pieces.Tries > 3);
        Assert.True(await CancelAsync(id));
        await StateAsync(id, "cancelled");
        Assert.False(await CancelAsync(id));
        Assert.NotEqual(0, await ScalarAsync<long>($"SELECT done FROM tasks WHERE task_id = '{id}'"));
    }

    [Fact]
    public async Task The_highest_priority_is_taken_first_and_what_is_not_due_waits()
    {
        await using var crew = await CrewAsync(new Hand("count", WorkQueue.Scheduled), started: false);
        foreach (var n in (int[])[1, 3, 2])
        {
            await AddAsync(crew, new NewTask("count", new { n }) { Priority = n });
        }

        await AddAsync(
            crew,
            new NewTask("count", new { n = 9 }) { Priority = 9, DueAt = TimeProvider.System.GetUtcNow().AddHours(1) }
        );
        foreach (var n in (int[])[3, 2, 1])
        {
            var taken = Assert.Single(await crew.Store.TakeAsync(WorkQueue.Scheduled, ["count"], 1, default));
            Assert.Equal(n, taken.Read<Payload>().N);
        }

        Assert.Empty(await crew.Store.TakeAsync(WorkQueue.Scheduled, ["count"], 1, default));
    }

    [Fact]
    public async Task The_sidecar_rings_at_the_door_and_a_letter_that_is_replayed_is_a_task_again()
    {
        var hand = new Hand("count", WorkQueue.Low) { Fails = true, Retry = TaskRetry.None };
        await using var crew = await CrewAsync(hand);
        var id = await AddAsync(crew, new NewTask("count", new { n = 5 }));
        await StateAsync(id, "dead");
        hand.Fails = false;
        var letter = await ScalarAsync<byte[]>("SELECT body FROM dead_letters");
        var delivery = await Delivery.ReadAsync(new MemoryStream(letter), default);
        Assert.True(await new TaskDoor("tasks.hosting").TakeAsync(delivery.Arrivals, crew.Subscriber, crew, default));
        await StateAsync(id, "done");
        var ring = await Delivery.ReadAsync(
            new MemoryStream(Encoding.UTF8.GetBytes("""{"topic":"tasks.hosting","queue":"low"}""")),
            default
        );
        Assert.True(await new TaskDoor("tasks.hosting").TakeAsync(ring.Arrivals, crew.Subscriber, crew, default));
    }

    private Database Open() => new(source, signal, TimeProvider.System);

    private async Task<Guid> AddAsync(Crew crew, NewTask task)
    {
        await using var db = await Open().BeginAsync(default);
        var id = await crew.Queue.AddAsync(db, task);
        await db.CommitAsync();
        return id;
    }

    private async Task<bool> CancelAsync(Guid id)
    {
        await using var db = await Open().BeginAsync(default);
        var isCancelled = await TaskQueue.CancelAsync(db, id);
        await db.CommitAsync();
        return isCancelled;
    }

    /// <summary>What rests or is leased is due now.</summary>
    private async Task SoonAsync(Crew crew, WorkQueue queue)
    {
        await database.AsOwnerAsync("UPDATE tasks SET due_at = now() WHERE due_at IS NOT NULL");
        crew.Bell.Here(queue.Name);
    }

    private Task StateAsync(Guid id, string state) =>
        Eventually.TrueAsync(async () =>
            await ScalarAsync<string>($"SELECT state FROM tasks WHERE task_id = '{id}'") == state
        );

    private Task<T> ScalarAsync<T>(string sql) => database.ScalarAsync<T>(sql);

    private async Task<Crew> CrewAsync(params Hand[] hands) => await CrewAsync(hands, started: true);

    private Task<Crew> CrewAsync(Hand hand, bool started) => CrewAsync([hand], started);

    private async Task<Crew> CrewAsync(Hand[] hands, bool started)
    {
        var crew = new Crew(Open(), hands, nobody);
        if (started)
        {
            await crew.StartAsync();
        }

        return crew;
    }

    private sealed record Payload(int N);

    /// <summary>A process with workers.</summary>
    private sealed class Crew : IAsyncDisposable, IServiceProvider
    {
        private readonly TaskWorkers workers;

        public Crew(Database database, Hand[] hands, DaprClient dapr)
        {
            Bell = new TaskBell(dapr, Service, NullLogger<TaskBell>.Instance);
            Store = new TaskStore(database, Service, TimeProvider.System);
            Queue = new TaskQueue(hands, Bell, TimeProvider.System);
            Subscriber = new Subscriber(
                database,
                new ConsumerPause(database.Source, TimeProvider.System, NullLogger<ConsumerPause>.Instance),
                TimeProvider.System,
                Service,
                NullLogger<Subscriber>.Instance
            );
            workers = new TaskWorkers(Store, Bell, hands, TimeProvider.System, NullLogger<TaskWorkers>.Instance);
        }

        public TaskBell Bell { get; }

        public TaskStore Store { get; }

        public TaskQueue Queue { get; }

        public Subscriber Subscriber { get; }

        public object? GetService(Type serviceType) =>
            serviceType == typeof(TaskBell) ? Bell
            : serviceType == typeof(TaskStore) ? Store
            : null;

        public Task StartAsync() => workers.StartAsync(default);

        public async ValueTask DisposeAsync()
        {
            await workers.StopAsync(default);
            workers.Dispose();
            Bell.Dispose();
        }
    }

    /// <summary>A handler that does what a test wants of it.</summary>
    private sealed class Hand(string kind, WorkQueue queue) : ITaskHandler
    {
        private readonly ConcurrentQueue<int> seen = new();
        private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int tries;

        public string Kind => kind;

        public WorkQueue Queue => queue;

        public TaskRetry Retry { get; init; } = TaskRetry.Exponential;

        public volatile bool Fails;

        public volatile bool Hangs;

        public int Pieces { get; init; } = 1;

        public int Tries => Volatile.Read(ref tries);

        public IReadOnlyList<int> Seen => [.. seen];

        public void Release()
        {
            Hangs = false;
            released.TrySetResult();
        }

        public async Task<TaskStep> RunAsync(RunningTask task, CancellationToken cancel)
        {
            var mine = Interlocked.Increment(ref tries);
            if (Hangs)
            {
                await released.Task.WaitAsync(cancel);
            }

            if (Fails)
            {
                throw new InvalidOperationException("4711 is in the message and nowhere else");
            }

            var n = task.Read<Payload>().N;
            seen.Enqueue(n);
            return mine < Pieces ? new TaskStep.Again(Items: mine, Total: Pieces) : new TaskStep.Done(new { n });
        }
    }
}
