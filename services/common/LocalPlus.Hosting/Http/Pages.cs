using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Hosting;

/// <summary>One page of a list. <paramref name="NextCursor"/> is absent on the last page.</summary>
public sealed record Page<T>(IReadOnlyList<T> Data, string? NextCursor, bool HasMore)
{
    /// <summary>Makes a page of rows that were read one more than <paramref name="limit"/>.</summary>
    public static Page<T> Of(IReadOnlyList<T> rows, int limit, Func<T, string> cursor) =>
        rows.Count > limit ? new([.. rows.Take(limit)], cursor(rows[limit - 1]), true) : new(rows, null, false);
}

/// <summary>Where a list goes on: the sort key of the last row seen.</summary>
public sealed record Keyset(DateTimeOffset CreatedAt, Guid Id)
{
    /// <summary>Before the first row of a list that runs from new to old.</summary>
    public static readonly Keyset Newest = new(DateTimeOffset.MaxValue, Guid.AllBitsSet);

    /// <summary>The place of a row that a number names; <see cref="Number"/> reads it.</summary>
    public static Keyset Of(DateTimeOffset createdAt, long number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes[8..], number);
        return new Keyset(createdAt, new Guid(bytes, bigEndian: true));
    }

    /// <summary>Of a row that a number names; of the newest, the greatest there is.</summary>
    public long Number =>
        BinaryPrimitives.ReadInt64BigEndian(Id.ToByteArray(bigEndian: true).AsSpan(8)) & long.MaxValue;
}

/// <summary>
/// Cursors of keyset pages: the key, MACed together with the caller and the list's filters, so that a cursor can
/// neither be made up nor carried over to another list or merchant. 400 invalid_request for anything else.
/// </summary>
public sealed class CursorCodec
{
    public const int DefaultLimit = 50;
    public const int MaxLimit = 200;
    private const int MacLength = 16;
    private readonly byte[] key;

    public CursorCodec(IConfiguration configuration) =>
        key = SHA256.HashData(Encoding.UTF8.GetBytes("cursor:" + configuration.Secret("database")));

    /// <summary>The page size asked for; refused outside 1 to <see cref="MaxLimit"/>.</summary>
    public static int Limit(int? limit) =>
        limit switch
        {
            null => DefaultLimit,
            >= 1 and <= MaxLimit => limit.Value,
            _ => throw new FaultException(
                CommonFaults.InvalidRequest,
                $"limit is 1 to {MaxLimit}.",
                new FieldError("limit", "out_of_range")
            ),
        };

    public string Write(Keyset position, MerchantId merchant, string filters)
    {
        byte[] body = [.. BitConverter.GetBytes(position.CreatedAt.UtcTicks), .. position.Id.ToByteArray()];
        return Base64Url.EncodeToString([.. body, .. Mac(body, merchant, filters)]);
    }

    public Keyset Read(string? cursor, MerchantId merchant, string filters)
    {
        if (cursor is null)
        {
            return Keyset.Newest;
        }

        const int bodyLength = sizeof(long) + 16;
        var bytes = new byte[bodyLength + MacLength];
        if (
            cursor.Length != Base64Url.GetEncodedLength(bytes.Length)
            || !Base64Url.TryDecodeFromChars(cursor, bytes, out var written)
            || written != bytes.Length
            || !CryptographicOperations.FixedTimeEquals(
                bytes.AsSpan(bodyLength),
                Mac(bytes.AsSpan(0, bodyLength), merchant, filters)
            )
        )
        {
            throw new FaultException(
                CommonFaults.InvalidRequest,
                "The cursor is not one of this list.",
                new FieldError("cursor", "invalid")
            );
        }

        return new Keyset(
            new DateTimeOffset(BitConverter.ToInt64(bytes), TimeSpan.Zero),
            new Guid(bytes.AsSpan(sizeof(long), 16))
        );
    }

    private byte[] Mac(ReadOnlySpan<byte> body, MerchantId merchant, string filters) =>
        HMACSHA256.HashData(key, (byte[])[.. body, .. Encoding.UTF8.GetBytes($"{merchant}\n{filters}")])[..MacLength];
}

/// <summary>Conditions that a caller puts on a change.</summary>
public static class Preconditions
{
    /// <summary>The version in If-Match; 428 without the header, 412 for anything that is not a version.</summary>
    public static long RequireIfMatch(this HttpContext http)
    {
        EndpointContract.RequireDeclared<RequiredVersion>(http);
        var header = http.Request.Headers.IfMatch.ToString();
        if (header.Length == 0)
        {
            throw new FaultException(CommonFaults.IfMatchRequired, "Send the ETag you last saw as If-Match.");
        }

        return long.TryParse(header.AsSpan().Trim('"'), out var version)
            ? version
            : throw new FaultException(
                CommonFaults.VersionConflict,
                "If-Match does not name a version of this object."
            );
    }
}
