// SPDX-License-Identifier: BSD-2-Clause

// Command waiting has a goroutine that waits in each way there is, under a function of its
// own. It prints for each what it waits for, as "FUNCTION WHAT", and "ready PID". At a line
// "dump" it prints the runtime's own traceback of all goroutines, and ends it with "done
// dump". It ends when stdin does. It builds with Go 1.13.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	each     = 3 // goroutines of each kind
	waitLong = 1000 * time.Hour
)

// more has the kinds that need a newer Go.
var more []func()

// Locks that are global variables, so that they have names.
var (
	globalMutex sync.Mutex
	globalRW    sync.RWMutex
)

func say(function, format string, args ...interface{}) {
	fmt.Printf("main.%s %s\n", function, fmt.Sprintf(format, args...))
}

func addr(c interface{}) uintptr {
	return (*[2]uintptr)(unsafe.Pointer(&c))[1]
}

func start(f func()) {
	for i := 0; i < each; i++ {
		go f()
	}
}

var (
	unbuffered = make(chan int)
	full       = make(chan int, 4)
	empty      = make(chan string, 2)
	ranged     = make(chan int)
	never      chan int
	a, b       = make(chan int), make(chan int, 1)
	alone      = make(chan int)
	ticker     = time.NewTicker(waitLong)
	group      sync.WaitGroup
	cond       = sync.NewCond(new(sync.Mutex))
	once       sync.Once
	parked     = make(chan int)
)

func xReceive()    { <-unbuffered }
func xSend()       { full <- 5 }
func xReceiveBuf() { <-empty }
func xNilReceive() { <-never }
func xNilSend()    { never <- 1 }
func xSelectNone() { select {} }
func xTicker()     { <-ticker.C }
func xSleep()      { time.Sleep(waitLong) }
func xMutex()      { globalMutex.Lock() }
func xRLock()      { globalRW.RLock() }
func xWaitGroup()  { group.Wait() }
func xOnce()       { once.Do(func() {}) }

func xRange() {
	for v := range ranged {
		println(v)
	}
}

func xSelect() {
	select {
	case v := <-a:
		println(v)
	case b <- 2:
	}
}

func xTimeout() {
	select {
	case v := <-alone:
		println(v)
	case <-time.After(waitLong):
	}
}

func xCond() {
	cond.L.Lock()
	cond.Wait()
}

func xLocked() {
	runtime.LockOSThread()
	<-parked
}

func xNanosleep() {
	t := syscall.Timespec{Sec: 1e6}
	syscall.Nanosleep(&t, nil)
}

func xPanic() {
	defer func() {
		<-parked
	}()
	panic("not printed")
}

type method struct{ c chan int }

func (m *method) xMethod() { <-m.c }

func xDeep() { deep(60) }

//go:noinline
func deep(n int) int {
	if n == 0 {
		return inlined()
	}
	return deep(n-1) + n
}

func inlined() int { return <-parked }

func xFat() { fat(40) }

//go:noinline
func fat(n int) byte {
	var big [1500]byte
	if n == 0 {
		<-parked
	} else {
		big[n] = fat(n - 1)
	}
	return big[n] + big[1400]
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func fdOf(c syscall.Conn) (fd int) {
	raw, err := c.SyscallConn()
	must(err)
	must(raw.Control(func(n uintptr) { fd = int(n) }))
	return fd
}

// What must not be closed by a finalizer.
var keep []interface{}

func connect() (out, in *net.TCPConn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	keep = append(keep, l)
	c, err := net.Dial("tcp", l.Addr().String())
	must(err)
	s, err := l.Accept()
	must(err)
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

func sockets() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() {
		xAccept(l)
	}()
	say("xAccept", "fd %d tcp listen %s", fdOf(l.(*net.TCPListener)), l.Addr())

	out, in := connect()
	go func() { xTCPRead(out) }()
	say("xTCPRead", "fd %d tcp %s -> %s", fdOf(out), out.LocalAddr(), out.RemoteAddr())
	keep = append(keep, in)
	out, in = connect()
	go func() { xTCPWrite(in) }()
	say("xTCPWrite", "fd %d tcp %s <- %s", fdOf(in), in.LocalAddr(), in.RemoteAddr())
	keep = append(keep, out)

	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(err)
	go func() { xUDP(u) }()
	say("xUDP", "fd %d udp %s", fdOf(u.(*net.UDPConn)), u.LocalAddr())
	r, w, err := os.Pipe()
	must(err)
	keep = append(keep, w)
	go func() { xPipe(r) }()
	say("xPipe", "fd %d pipe", fdOf(r))

	var raw [2]int
	must(syscall.Pipe(raw[:]))
	go func() { xRawRead(raw[0]) }()
	say("xRawRead", "syscall read fd %d pipe", raw[0])
}

func xAccept(l net.Listener)   { l.Accept() }
func xTCPRead(c net.Conn)      { c.Read(make([]byte, 1)) }
func xUDP(c net.PacketConn)    { c.ReadFrom(make([]byte, 1)) }
func xPipe(f *os.File)         { f.Read(make([]byte, 1)) }
func xRawRead(fd int)          { syscall.Read(fd, make([]byte, 1)) }
func xProcess(cmd *exec.Cmd)   { cmd.Wait() }
func xSignal(c chan os.Signal) { <-c }
func xTCPWrite(c net.Conn) {
	for {
		_, err := c.Write(make([]byte, 1<<20))
		must(err)
	}
}

func main() {
	group.Add(7)
	for len(full) < cap(full) {
		full <- 1
	}
	b <- 1
	globalMutex.Lock()
	globalRW.Lock()
	go once.Do(func() { xInOnce() })
	time.Sleep(50 * time.Millisecond)
	for _, f := range []func(){xReceive, xSend, xReceiveBuf, xNilReceive, xNilSend, xRange, xSelectNone,
		xSelect, xTimeout, xTicker, xSleep, xMutex, xRLock, xCond, xWaitGroup, xOnce, xLocked, xNanosleep,
		xPanic, xDeep, xFat, (&method{unbuffered}).xMethod} {
		start(f)
	}
	var rw sync.RWMutex
	rw.RLock()
	go func() { xLock(&rw) }()
	sockets()
	cmd := exec.Command("cat") // it ends with its stdin, which ends with us
	stdin, err := cmd.StdinPipe()
	must(err)
	must(cmd.Start())
	keep = append(keep, stdin)
	go xProcess(cmd)
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, syscall.SIGUSR2)
	go xSignal(sig)
	for _, f := range more {
		f()
	}
	say("xReceive", "chan %#x 0 0", addr(unbuffered))
	say("xSend", "chan %#x 4 4", addr(full))
	say("xReceiveBuf", "chan %#x 0 2", addr(empty))
	say("xNilReceive", "nothing")
	say("xNilSend", "nothing")
	say("xRange", "chan %#x 0 0", addr(ranged))
	say("xSelectNone", "nothing")
	say("xSelect", "select %#x %#x", addr(a), addr(b))
	say("xTimeout", "select %#x", addr(alone))
	say("xTicker", "chan %#x", addr(ticker.C))
	say("xSleep", "sleep %d", waitLong/time.Second)
	say("xMutex", "mutex %p main.globalMutex", &globalMutex)
	say("xRLock", "rwmutex %p main.globalRW", &globalRW)
	say("xLock", "rwmutex %p", &rw)
	say("xCond", "cond %p", cond)
	say("xWaitGroup", "waitgroup %p 7", &group)
	say("xOnce", "mutex %#x", uintptr(unsafe.Pointer(&once))+onceMutex())
	say("xNanosleep", "syscall nanosleep")
	say("xProcess", "syscall")
	say("xSignal", "chan %#x 0 1", addr(sig))
	for _, f := range []string{"xLocked", "xPanic", "xDeep", "xFat", "xInOnce"} {
		say(f, "chan %#x 0 0", addr(parked))
	}
	time.Sleep(200 * time.Millisecond)
	runtime.GC() // some versions note since when they wait
	fmt.Println("ready", os.Getpid())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if in.Text() == "dump" {
			dump()
		}
	}
	cmd.Process.Kill()
}

func xInOnce() { <-parked }

func xLock(rw *sync.RWMutex) { rw.Lock() }

// The mutex of a sync.Once lies behind its flag.
func onceMutex() uintptr { return 4 }

func dump() {
	buf := make([]byte, 16<<20)
	os.Stdout.Write(buf[:runtime.Stack(buf, true)])
	fmt.Println("\ndone dump")
}
