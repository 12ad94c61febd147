using System.Text;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace LocalPlus.Tests.Integration.Hosting;

public sealed class IdempotentRequestsTests : IAsyncLifetime
{
    private static readonly Fault Refusal = new("limit_exceeded", 422, "A limit is exceeded");
    private readonly MerchantIdentity merchant = new(
        MerchantId.New(TimeProvider.System),
        ApiKeyId.New(TimeProvider.System),
        false,
        new HashSet<string>()
    );
    private readonly OutboxSignal signal = new();
    private TestDatabase database = null!;
    private NpgsqlDataSource source = null!;
    private IdempotentRequests requests = null!;

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("hosting", typeof(IdempotentRequestsTests).Assembly);
        TypeHandlers.Register();
        source = NpgsqlDataSource.Create(database.ConnectionString);
        requests = RequestsAt(null);
    }

    private IdempotentRequests RequestsAt(DateTimeOffset? now)
    {
        var keys = new FingerprintKeys(
            new ConfigurationBuilder()
                .AddInMemoryCollection(
                    new Dictionary<string, string?> { ["Secrets:fingerprint_keys"] = $"1:{new string('f', 40)}" }
                )
                .Build()
        );
        return new IdempotentRequests(
            new Database(source, signal, TimeProvider.System),
            keys,
            new SealedAnswers(keys, TimeProvider.System),
            now is { } at ? new StillTime(at) : TimeProvider.System
        );
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await database.DisposeAsync();
        signal.Dispose();
    }

    [Fact]
    public async Task A_repeat_gets_the_first_answer_byte_for_byte_and_has_no_effect()
    {
        var runs = 0;
        var first = await SendAsync("k1", new Body(1), () => Answer.Created("/v1/things/1", new { run = ++runs }, 3));
        var second = await SendAsync(
            "\"k1\"",
            new Body(1),
            () => Answer.Created("/v1/things/2", new { run = ++runs }, 4)
        );

        Assert.Equal(1, runs);
        Assert.Equal(first.Body, second.Body);
        Assert.Equal(
            (201, "/v1/things/1", "\"3\"", true),
            (second.Status, second.Location, second.ETag, second.Replayed)
        );
    }

    [Fact]
    public async Task The_key_with_another_body_is_refused()
    {
        await SendAsync("k2", new Body(1), () => Answer.Ok(new { }));

        var fault = await Assert.ThrowsAsync<FaultException>(() =>
            SendAsync("k2", new Body(2), () => Answer.Ok(new { }))
        );

        Assert.Equal(CommonFaults.IdempotencyKeyReused, fault.Fault);
    }

    [Fact]
    public async Task A_refusal_is_stored_and_leaves_nothing_else_behind()
    {
        async Task<Answer> Refuse(DbSession db)
        {
            await db.PublishAsync("topic", "type", "key", 1, merchant.MerchantId, new { });
            throw new FaultException(Refusal, "Too much.");
        }

        var first = Assert.IsType<Answer>(await requests.ExecuteAsync(Http("k3"), new Body(1), Refuse, default));
        var second = Assert.IsType<Answer>(await requests.ExecuteAsync(Http("k3"), new Body(1), Refuse, default));

        Assert.Equal((422, false), (first.Status, first.Replayed));
        Assert.Equal((422, true), (second.Status, second.Replayed));
        Assert.Equal(first.Body, second.Body);
        Assert.Contains("limit_exceeded", Encoding.UTF8.GetString(first.Body), StringComparison.Ordinal);
        Assert.Equal(0L, await ScalarAsync("SELECT count(*) FROM outbox_events"));
    }

    [Fact]
    public async Task A_fault_that_may_go_away_is_not_stored()
    {
        await Assert.ThrowsAsync<FaultException>(() =>
            SendAsync("k4", new Body(1), () => throw new FaultException(CommonFaults.Busy, "Later."))
        );

        var answer = await SendAsync("k4", new Body(1), () => Answer.Ok(new { }));

        Assert.Equal((200, false), (answer.Status, answer.Replayed));
    }

    [Fact]
    public async Task While_the_first_is_under_way_the_second_is_refused_as_in_progress()
    {
        var entered = new TaskCompletionSource();
        var leave = new TaskCompletionSource();
        var first = requests.ExecuteAsync(
            Http("k5"),
            new Body(1),
            async _ =>
            {
                entered.SetResult();
                await leave.Task;
                return Answer.Ok(new { });
            },
            default
        );
        await entered.Task;

        var fault = await Assert.ThrowsAsync<FaultException>(() =>
            SendAsync("k5", new Body(1), () => Answer.Ok(new { }))
        );
        leave.SetResult();

        Assert.Equal(CommonFaults.RequestInProgress, fault.Fault);
        Assert.Equal(200, Assert.IsType<Answer>(await first).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Equal_requests_at_once_on_both_sides_of_midnight_are_carried_out_once(bool isOrdered)
    {
        var today = new DateTimeOffset(TimeProvider.System.GetUtcNow().Date, TimeSpan.Zero);
        IdempotentRequests[] replicas = [RequestsAt(today.AddMilliseconds(-1)), RequestsAt(today.AddMilliseconds(1))];
        for (var round = 0; round < 20; round++)
        {
            var key = isOrdered ? $"{Guid.CreateVersion7(today)}" : $"order-{round}";
            var runs = 0;
            async Task<string> TryAsync(IdempotentRequests replica)
            {
                try
                {
                    return Encoding.UTF8.GetString(
                        Assert
                            .IsType<Answer>(
                                await replica.ExecuteAsync(
                                    Http(key),
                                    new Body(1),
                                    _ => Task.FromResult(Answer.Ok(new { run = Interlocked.Increment(ref runs) })),
                                    default
                                )
                            )
                            .Body
                    );
                }
                catch (FaultException fault) when (fault.Fault == CommonFaults.RequestInProgress)
                {
                    return "";
                }
            }

            var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => TryAsync(replicas[i % 2])));
            answers = [.. answers, await TryAsync(replicas[0]), await TryAsync(replicas[1])];

            Assert.Equal(1, runs);
            Assert.Single(answers.Where(answer => answer.Length > 0).Distinct(StringComparer.Ordinal));
            Assert.NotEqual("", answers[^1]);
        }
    }

    [Fact]
    public async Task Keys_of_two_merchants_do_not_meet()
    {
        await SendAsync("k6", new Body(1), () => Answer.Ok(new { }));
        var other = Http("k6");
        other.Items[typeof(MerchantIdentity)] = merchant with { MerchantId = MerchantId.New(TimeProvider.System) };

        var answer = Assert.IsType<Answer>(
            await requests.ExecuteAsync(other, new Body(2), _ => Task.FromResult(Answer.Ok(new { })), default)
        );

        Assert.False(answer.Replayed);
    }

    [Theory]
    [InlineData(null, "idempotency_key_missing")]
    [InlineData("", "invalid_request")]
    [InlineData("café", "invalid_request")]
    public async Task A_key_that_is_none_is_refused(string? key, string code)
    {
        var fault = await Assert.ThrowsAsync<FaultException>(() =>
            SendAsync(key, new Body(1), () => Answer.Ok(new { }))
        );

        Assert.Equal(code, fault.Fault.Code);
    }

    private async Task<Answer> SendAsync(string? key, Body body, Func<Answer> handler) =>
        Assert.IsType<Answer>(await requests.ExecuteAsync(Http(key), body, _ => Task.FromResult(handler()), default));

    private DefaultHttpContext Http(string? key)
    {
        var http = new DefaultHttpContext { Request = { Method = "POST", Path = "/v1/things" } };
        http.Items[typeof(MerchantIdentity)] = merchant;
        if (key is not null)
        {
            http.Request.Headers["Idempotency-Key"] = key;
        }

        return http;
    }

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private sealed record Body(int Value);

    private sealed class StillTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
