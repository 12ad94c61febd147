using System.Net;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>
/// Equal requests at once, under one Idempotency-Key: one effect, and whoever gets an answer gets the same one.
/// </summary>
public static class EqualRequests
{
    private const int MaxTries = 100;

    /// <summary>
    /// Sends so many at once, and once more when all have ended. Some of the first may be told to come again
    /// (request_in_progress; busy, on a machine that is); the others and the last are equal. Gives the last answer.
    /// </summary>
    public static async Task<string> SendAsync(Func<string, Task<HttpResponseMessage>> send, int times, int status)
    {
        var key = Guid.CreateVersion7().ToString();
        var first = await Task.WhenAll(Enumerable.Range(0, times).Select(_ => ReadAsync(send(key))));
        var last = await ReadAsync(send(key));
        for (var tries = 1; last.IsRetryable && tries < MaxTries; tries++)
        {
            last = await ReadAsync(send(key));
        }

        Assert.Equal(status, (int)last.Status);
        Assert.All(
            first.Where(answer => !answer.IsRetryable),
            answer => Assert.Equal((last.Status, last.Body), (answer.Status, answer.Body))
        );
        return last.Body;
    }

    private static async Task<(HttpStatusCode Status, string Body, bool IsRetryable)> ReadAsync(
        Task<HttpResponseMessage> sent
    )
    {
        using var answer = await sent;
        var body = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, body, body.Contains("\"retryable\":true", StringComparison.Ordinal));
    }
}
