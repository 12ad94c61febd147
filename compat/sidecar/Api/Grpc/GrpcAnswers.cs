using System.Globalization;
using System.Text;

namespace LocalPlus.Sidecar.Api.Grpc;

/// <summary>Ends a gRPC call without a message.</summary>
internal static class GrpcAnswers
{
    public static Task EndAsync(HttpContext http, int code, string message, byte[]? details = null)
    {
        var response = http.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = code.ToString(CultureInfo.InvariantCulture);
        if (message.Length > 0)
        {
            response.Headers["grpc-message"] = Encode(message);
        }
        if (details is not null)
        {
            response.Headers["grpc-status-details-bin"] = Convert.ToBase64String(details);
        }
        return response.CompleteAsync();
    }

    /// <summary>Percent-encodes what a gRPC message header may not hold.</summary>
    private static string Encode(string message)
    {
        var result = new StringBuilder(message.Length + 8);
        foreach (var b in Encoding.UTF8.GetBytes(message))
        {
            if (b is >= 0x20 and <= 0x7e and not (byte)'%')
            {
                result.Append((char)b);
            }
            else
            {
                result.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
            }
        }
        return result.ToString();
    }
}
