using System.Globalization;
using Grpc.Core;
using Grpc.Core.Wire;
using Microsoft.AspNetCore.Http;

namespace Grpc.AspNetCore.Server;

/// <summary>What every gRPC request has in common.</summary>
internal static class GrpcRequest
{
    /// <summary>Answers what is no gRPC request with the HTTP status that says so.</summary>
    public static bool Accept(HttpContext http)
    {
        if (!HttpProtocol.IsHttp2(http.Request.Protocol) && !HttpProtocol.IsHttp3(http.Request.Protocol))
        {
            http.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            return false;
        }

        if (!Headers.IsGrpc(http.Request.ContentType))
        {
            http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return false;
        }

        return true;
    }

    /// <summary>The answer to a method or service that does not exist.</summary>
    public static Task Unimplemented(HttpContext http, string detail)
    {
        if (Accept(http))
        {
            http.Response.ContentType = Headers.ContentType;
            http.Response.Headers[Headers.Status] = ((int)StatusCode.Unimplemented).ToString(CultureInfo.InvariantCulture);
            http.Response.Headers[Headers.Message] = Headers.EncodeMessage(detail);
        }

        return Task.CompletedTask;
    }
}
