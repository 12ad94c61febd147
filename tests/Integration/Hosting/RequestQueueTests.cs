using System.Diagnostics.Metrics;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace LocalPlus.Tests.Integration.Hosting;

/// <summary>What waits to be told of requests is bounded, and what does not fit is counted.</summary>
public sealed class RequestQueueTests : IAsyncLifetime
{
    private StubSidecar sidecar = null!;
    private EventPublisher publisher = null!;
    private RequestLog log = null!;

    public async Task InitializeAsync()
    {
        sidecar = await StubSidecar.StartAsync();
        publisher = new EventPublisher(
            new ConfigurationBuilder()
                .AddInMemoryCollection(new Dictionary<string, string?> { ["DAPR_HTTP_PORT"] = $"{sidecar.Port}" })
                .Build(),
            new ServiceIdentity("hosting", typeof(RequestQueueTests).Assembly)
        );
        log = new RequestLog("hosting.requests.v1", publisher, TimeProvider.System, NullLogger<RequestLog>.Instance);
    }

    public async Task DisposeAsync()
    {
        log.Dispose();
        publisher.Dispose();
        await sidecar.DisposeAsync();
    }

    [Fact]
    public async Task A_full_queue_drops_and_counts_and_what_it_has_is_told_in_batches()
    {
        const int tooMany = 7;
        var dropped = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, all) =>
            {
                if (instrument.Name == "localplus.request_log.dropped")
                {
                    all.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, more, _, _) => Interlocked.Add(ref dropped, more));
        listener.Start();

        for (var i = 0; i < RequestLog.MaxWaiting + tooMany; i++)
        {
            log.Add(Request());
        }

        Assert.Equal(tooMany, dropped);
        Assert.True(await log.FlushAsync(default));
        Assert.Equal(RequestLog.MaxWaiting / RequestLog.MaxBatch, sidecar.Requests.Count);
        Assert.All(sidecar.Requests, batch => Assert.Equal(RequestLog.MaxBatch, Ids(batch).Length));
    }

    [Fact]
    public async Task What_the_broker_does_not_take_is_told_when_it_does()
    {
        sidecar.BrokerUp = false;
        log.Add(Request());
        Assert.False(await log.FlushAsync(default));
        log.Add(Request());
        sidecar.BrokerUp = true;

        Assert.True(await log.FlushAsync(default));

        Assert.Equal(2, Ids(Assert.Single(sidecar.Requests)).Distinct().Count());
    }

    [Fact]
    public async Task A_service_that_ends_tells_what_it_has()
    {
        await log.StartAsync(default);
        log.Add(Request());

        await log.StopAsync(default);

        Assert.Single(sidecar.Requests);
    }

    private static string[] Ids(System.Text.Json.JsonElement told) =>
        [
            .. told.GetProperty("event")
                .GetProperty("data")
                .GetProperty("data")
                .GetProperty("requests")
                .EnumerateArray()
                .Select(request => request.GetProperty("id").GetString()!),
        ];

    private static LoggedRequest Request() =>
        new(
            EventId.New(TimeProvider.System),
            MerchantId.New(TimeProvider.System),
            "r",
            "key_1",
            "GET",
            "/v1/accounts/{id}",
            "/v1/accounts/***",
            200,
            1,
            TimeProvider.System.GetUtcNow()
        );
}
