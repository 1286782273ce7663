%% Messages between processes of two Erlang nodes over loopback: half of a round trip, microseconds.
%%
%%     ping:echo() in the one node, which says when it is ready; then ping:main([Node, Batches | Bytes]) in the other
%%
%% Binaries of so many bytes, which the other sends back. Prints figures as guests/bench.h does.
-module(ping).
-export([echo/0, main/1]).

%% Batches: the first are for what is warm only then.
-define(WARM_UPS, 8).
-define(BATCH_US, 50000).

echo() ->
    register(echo, self()),
    io:format("ready~n"),
    loop().

loop() ->
    receive
        {From, Data} -> From ! Data, loop();
        stop -> init:stop()
    end.

main([Name, Batches | Sizes]) ->
    Node = list_to_atom(Name),
    true = net_kernel:connect_node(Node),
    Echo = rpc:call(Node, erlang, whereis, [echo]),
    [measure(Echo, list_to_integer(Bytes), list_to_integer(Batches)) || Bytes <- Sizes],
    Echo ! stop,
    init:stop().

measure(Echo, Bytes, Batches) ->
    Data = binary:copy(<<1>>, Bytes),
    Trips = warm(Echo, Data, 8, ?WARM_UPS),
    Sorted = lists:sort([batch(Echo, Data, Trips) / Trips / 2 || _ <- lists:seq(1, Batches)]),
    Median = (lists:nth((Batches + 1) div 2, Sorted) + lists:nth(Batches div 2 + 1, Sorted)) / 2,
    io:format("= ~b ~.4f ~.4f ~.4f ~b~n", [Bytes, Median, hd(Sorted), lists:last(Sorted), Batches]).

warm(_, _, Trips, 0) -> Trips;
warm(Echo, Data, Trips, Left) ->
    Took = max(1, batch(Echo, Data, Trips)),
    warm(Echo, Data, max(8, ?BATCH_US * Trips div Took), Left - 1).

%% Microseconds for so many round trips.
batch(Echo, Data, Trips) ->
    Began = erlang:monotonic_time(microsecond),
    trips(Echo, Data, Trips),
    erlang:monotonic_time(microsecond) - Began.

trips(_, _, 0) -> ok;
trips(Echo, Data, Left) ->
    Echo ! {self(), Data},
    receive Data -> trips(Echo, Data, Left - 1) end.
