using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Http;

namespace Grpc.Core;

/// <summary>The HTTP side of a call.</summary>
public static class ServerCallContextExtensions
{
    /// <summary>The request that carries the call; in tests what is under <c>__HttpContext</c> in the user state.</summary>
    public static HttpContext GetHttpContext(this ServerCallContext serverCallContext) =>
        serverCallContext is HttpServerCallContext call
            ? call.HttpContext
            : serverCallContext.UserState.TryGetValue("__HttpContext", out var http) && http is HttpContext context
                ? context
                : throw new InvalidOperationException("Could not get HttpContext from ServerCallContext.");
}
