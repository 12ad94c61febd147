using System.Globalization;

namespace LocalPlus.Sidecar.Invoke;

/// <summary>A gRPC message that is passed through is larger than --max-body-size.</summary>
internal sealed class MessageTooLargeException(string message) : Exception(message)
{
    /// <summary>The exception itself or the one behind what an HTTP client made of it.</summary>
    public static MessageTooLargeException? In(Exception? problem) =>
        problem is null ? null : problem as MessageTooLargeException ?? In(problem.InnerException);
}

/// <summary>
/// Reads along a stream of gRPC messages and stops at one that is too large, before its first byte has passed.
/// </summary>
internal sealed class MessageLimit(long limit)
{
    private const int HeaderBytes = 5;
    private int header;
    private long length;
    private long remaining;

    public void Watch(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            if (remaining > 0)
            {
                var skipped = (int)Math.Min(remaining, data.Length);
                remaining -= skipped;
                data = data[skipped..];
                continue;
            }
            // One byte that says whether the message is compressed, then its length.
            length = header == 0 ? 0 : (length << 8) | data[0];
            data = data[1..];
            if (++header < HeaderBytes)
            {
                continue;
            }
            if (length > limit)
            {
                throw new MessageTooLargeException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"grpc: received message larger than max ({length} vs. {limit})"
                    )
                );
            }
            (header, remaining) = (0, length);
        }
    }
}
