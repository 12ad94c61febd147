using System.Collections.Concurrent;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// Stands before the ledger: notes how long callers wait, and keeps calls waiting until they go or it lets them in.
/// </summary>
internal sealed class LedgerPace
{
    private static readonly PathString Calls = $"/{LedgerService.Descriptor.FullName}";
    private volatile TaskCompletionSource? held;

    /// <summary>The deadlines with which calls came, by method.</summary>
    public ConcurrentQueue<(string Method, TimeSpan Timeout)> Timeouts { get; } = [];

    public void Hold() => held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release()
    {
        held?.TrySetResult();
        held = null;
    }

    public async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        if (http.Request.Path.StartsWithSegments(Calls, out var method))
        {
            Timeouts.Enqueue(
                (method.Value!, RequestDeadline.Parse(http.Request.Headers["grpc-timeout"]) ?? Timeout.InfiniteTimeSpan)
            );
            if (held is { } until)
            {
                await until.Task.WaitAsync(http.RequestAborted);
            }
        }

        await next(http);
    }
}
