using LocalPlus.Engine.Testing;
using Npgsql;

namespace LocalPlus.Engine.Tests;

public sealed class TimerTests(PostgresFixture postgres) : EngineTest(postgres)
{
    [Fact]
    public async Task A_timer_fires_in_time_and_never_early()
    {
        await using var worker = Worker();
        var due = DateTimeOffset.UtcNow.AddMilliseconds(700);
        await StartAsync(worker, "a", Do.Timer(0, due));
        var fired = (await worker.TurnAsync()).NewEvents[1];
        Assert.True(DateTimeOffset.UtcNow >= due);
        Assert.Equal(due.UtcTicks / 10, fired.TimerFired.FireAt.ToDateTimeOffset().UtcTicks / 10);
        Assert.True(fired.Timestamp.ToDateTimeOffset() >= due);
    }

    [Fact]
    public async Task A_timer_in_the_past_fires_in_the_next_turn()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Timer(0, DateTimeOffset.UtcNow.AddDays(-1)));
        Assert.Equal(0, (await worker.TurnAsync()).NewEvents[1].TimerFired.TimerId);
    }

    [Fact]
    public async Task A_timer_that_falls_due_while_nothing_runs_fires_after_the_restart()
    {
        var worker = Worker();
        var due = DateTimeOffset.UtcNow.AddMilliseconds(310);
        await StartAsync(worker, "a", Do.Timer(0, due.AddMilliseconds(-10)), Do.Timer(1, due));
        await worker.DisposeAsync();
        await RestartAsync();
        while (DateTimeOffset.UtcNow <= due)
        {
            await Pulse.NextAsync();
        }

        await using var second = Worker();
        var turn = await second.TurnAsync();
        Assert.Equal("WorkflowStarted TimerFired TimerFired", turn.NewEvents.Kinds());
    }

    [Fact]
    public async Task A_fired_timer_that_was_not_answered_fires_again_after_a_crash()
    {
        var worker = Worker();
        await StartAsync(worker, "a", Do.Timer(0, DateTimeOffset.UtcNow));
        await worker.TurnAsync();
        await worker.DisposeAsync();
        await RestartAsync();
        await using var second = Worker();
        Assert.Equal("WorkflowStarted TimerFired", (await second.TurnAsync()).NewEvents.Kinds());
    }

    [Fact]
    public async Task The_timer_of_an_event_is_called_off_when_the_event_comes()
    {
        await using var worker = Worker();
        var (soon, later) = (DateTimeOffset.UtcNow.AddHours(1), DateTimeOffset.UtcNow.AddHours(2));
        await StartAsync(worker, "a", Do.EventTimer(0, "go", soon), Do.Timer(1, later));
        Assert.Equal(soon, await NextDueAsync(), TimeSpan.FromMilliseconds(1));
        await RaiseAsync("a", "GO");
        await worker.TurnAsync();
        await worker.AnswerAsync("a");
        using var patience = new CancellationTokenSource(RawWorker.Patience);
        while (await NextDueAsync() < later.AddMilliseconds(-1))
        {
            patience.Token.ThrowIfCancellationRequested();
            await Pulse.NextAsync();
        }
    }

    private async Task<DateTimeOffset> NextDueAsync()
    {
        await using var connection = new NpgsqlConnection(Server.ConnectionString);
        await connection.OpenAsync();
        await using var look = new NpgsqlCommand(
            $"SELECT next_due FROM wf_instances WHERE app_id = '{App}' AND instance_id = 'a'",
            connection
        );
        return new DateTimeOffset((DateTime)(await look.ExecuteScalarAsync())!);
    }

    [Fact]
    public async Task Timers_of_the_far_future_never_fire_and_may_be_of_any_number()
    {
        await using var worker = Worker();
        var action = Do.Timer(0, DateTimeOffset.UtcNow);
        action.CreateTimer.FireAt.Seconds = 253402300799;
        action.CreateTimer.FireAt.Nanos = 999999999;
        var bogus = Do.Timer(1, DateTimeOffset.UtcNow);
        bogus.CreateTimer.FireAt.Seconds = long.MaxValue;
        await StartAsync(worker, "a", action, bogus, Do.Timer(2, DateTimeOffset.UtcNow.AddMilliseconds(100)));
        Assert.Equal(
            2,
            (await worker.TurnAsync()).NewEvents.Single(one => one.TimerFired is not null).TimerFired.TimerId
        );
    }

    [Fact]
    public async Task A_shorter_timer_overtakes_a_longer_one()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Timer(0, DateTimeOffset.UtcNow.AddHours(1)));
        await StartAsync(worker, "b", Do.Timer(0, DateTimeOffset.UtcNow.AddMilliseconds(200)));
        Assert.Equal("b", (await worker.TurnAsync()).InstanceId);
        await worker.AnswerAsync("b", Do.Timer(1, DateTimeOffset.UtcNow.AddMilliseconds(100)));
        Assert.Equal(1, (await worker.TurnAsync()).NewEvents[1].TimerFired.TimerId);
    }

    [Fact]
    public async Task An_event_wait_with_a_timeout_ends_by_its_timer()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.EventTimer(0, "go", DateTimeOffset.UtcNow.AddMilliseconds(200)));
        Assert.Equal(0, (await worker.TurnAsync()).NewEvents[1].TimerFired.TimerId);
        await worker.AnswerAsync("a", Do.Complete(1, "\"late\""));
        Assert.Equal("\"late\"", (await EndAsync("a")).Output);
    }
}
