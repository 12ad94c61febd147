using System.Threading.RateLimiting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Hosting;

/// <summary>
/// In front of any work (ADR 0020). A merchant's request is let in by <see cref="FairAdmission"/> or refused at once,
/// with nothing done and its body not read: 503 overloaded, or 429 quota_exceeded for more than its share. Operators
/// have a lane of their own, whoever shows no credential another; what comes to the app port and probes come through.
/// Who was let in has until <see cref="AdmissionLimits.Answer"/> for the first byte of the answer.
/// </summary>
internal sealed class AdmissionControl(
    RequestDelegate next,
    FairAdmission merchants,
    KnownCallers callers,
    IConfiguration configuration,
    TimeProvider time
)
{
    private const string Bearer = "Bearer ";
    private static readonly TimeSpan NoPatience = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// Where a service describes itself. That is put together when it is asked for, which takes a slow machine longer
    /// than a request may.
    /// </summary>
    private static readonly PathString Description = "/openapi";
    private readonly int publicPort = Ports.PublicPort(configuration);
    private readonly ConcurrencyLimiter operators = Lane(
        AdmissionLimits.OperatorsAtOnce,
        AdmissionLimits.OperatorsWaiting
    );
    private readonly ConcurrencyLimiter nobody = Lane(AdmissionLimits.NobodysAtOnce, AdmissionLimits.NobodysWaiting);

    public Task InvokeAsync(HttpContext http)
    {
        if (http.Connection.LocalPort != publicPort)
        {
            return CalledAsync(http);
        }

        if (Health.IsProbe(http.Request.Path))
        {
            return next(http);
        }

        var header = http.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return InLaneAsync(http, nobody, "nobody", NoPatience);
        }

        var credential = header.AsSpan(Bearer.Length);
        return ApiKeyForm.TryParse(credential, out _, out _)
            ? OfMerchantAsync(http, callers.Find(credential))
            : OfOperatorAsync(http);
    }

    /// <summary>Another service's call ends when its caller goes.</summary>
    private async Task CalledAsync(HttpContext http)
    {
        var headers = http.Request.Headers;
        if (RequestDeadline.Parse(headers["grpc-timeout"]) is { } isGrpcs)
        {
            // The framework ends the call; the statements are to end before.
            RequestDeadline.Current = new(time, isGrpcs);
            await next(http);
        }
        else if (RequestDeadline.Parse(headers[RequestDeadline.Header]) is { } told)
        {
            await ServeAsync(http, told);
        }
        else
        {
            await next(http);
        }
    }

    private async Task OfMerchantAsync(HttpContext http, MerchantId merchant)
    {
        var cameAt = time.GetTimestamp();
        var entry = await merchants.EnterAsync(merchant, http.RequestAborted);
        AdmissionMetrics.Decided(entry, time.GetElapsedTime(cameAt));
        if (entry != Entry.Admitted)
        {
            await Problems.WriteAsync(http, Refusal(entry));
            return;
        }

        var begunAt = time.GetTimestamp();
        var took = (TimeSpan?)null;
        var isUnanswered = true;
        http.Response.OnStarting(() =>
        {
            took = time.GetElapsedTime(begunAt);
            return Task.CompletedTask;
        });
        try
        {
            await ServeAsync(http, AdmissionLimits.Answer - time.GetElapsedTime(cameAt));
            isUnanswered = IsUnanswered(http.Response.StatusCode);
        }
        catch (Exception failure) when (Note(failure, out isUnanswered))
        {
            throw;
        }
        finally
        {
            merchants.Leave(merchant, took ?? time.GetElapsedTime(begunAt), isUnanswered);
        }
    }

    /// <summary>Whoever shows a token that is none is nobody.</summary>
    private async Task OfOperatorAsync(HttpContext http)
    {
        var isOperators = (await http.AuthenticateAsync(Authentication.OperatorScheme)).Succeeded;
        await (
            isOperators
                ? InLaneAsync(http, operators, "operators", AdmissionLimits.OperatorsPatience)
                : InLaneAsync(http, nobody, "nobody", NoPatience)
        );
    }

    private async Task InLaneAsync(HttpContext http, ConcurrencyLimiter lane, string name, TimeSpan patience)
    {
        using var place = await PlaceAsync(lane, patience, http.RequestAborted);
        AdmissionMetrics.Decided(name, place is { IsAcquired: true });
        await (
            place is not { IsAcquired: true } ? Problems.WriteAsync(http, Refusal(Entry.Full))
            : http.Request.Path.StartsWithSegments(Description) ? next(http)
            : ServeAsync(http, AdmissionLimits.Answer)
        );
    }

    private async Task<RateLimitLease?> PlaceAsync(ConcurrencyLimiter lane, TimeSpan patience, CancellationToken gone)
    {
        var free = lane.AttemptAcquire();
        if (free.IsAcquired)
        {
            return free;
        }

        free.Dispose();
        using var late = new CancellationTokenSource(
            patience == NoPatience ? AdmissionLimits.Patience : patience,
            time
        );
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(gone, late.Token);
        try
        {
            return await lane.AcquireAsync(1, ended.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>
    /// Runs the rest with a token that ends with the caller or the time. What the edge says of that is not ended by it.
    /// </summary>
    private async Task ServeAsync(HttpContext http, TimeSpan total)
    {
        var gone = http.RequestAborted;
        using var late = new CancellationTokenSource(total > TimeSpan.Zero ? total : TimeSpan.Zero, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(gone, late.Token);
        // Who has the first byte is being answered, however long the rest takes. What the edge says comes later.
        var isServing = true;
        http.Response.OnStarting(() =>
        {
            if (isServing)
            {
                late.CancelAfter(Timeout.InfiniteTimeSpan);
            }

            return Task.CompletedTask;
        });
        RequestDeadline.Current = new(time, total);
        http.RequestAborted = ended.Token;
        try
        {
            await next(http);
        }
        catch (OperationCanceledException)
            when (late.IsCancellationRequested && !gone.IsCancellationRequested && !http.Response.HasStarted)
        {
            throw new FaultException(CommonFaults.Busy, "There was no time left to do it.");
        }
        finally
        {
            isServing = false;
            http.RequestAborted = gone;
        }
    }

    private static bool Note(Exception failure, out bool isUnanswered)
    {
        isUnanswered =
            failure is not OperationCanceledException && IsUnanswered(FaultHandler.ToFault(failure).Fault.Status);
        return false;
    }

    private static bool IsUnanswered(int status) => status == StatusCodes.Status503ServiceUnavailable;

    private static FaultException Refusal(Entry entry) =>
        entry == Entry.OverShare
            ? new(CommonFaults.QuotaExceeded, "More of your requests are under way than your share; nothing was done.")
            : new(CommonFaults.Overloaded, "More is asked for than can be answered in time; nothing was done.");

    private static ConcurrencyLimiter Lane(int atOnce, int waiting) =>
        new(
            new ConcurrencyLimiterOptions
            {
                PermitLimit = atOnce,
                QueueLimit = waiting,
                QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            }
        );
}
